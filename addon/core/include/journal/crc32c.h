#ifndef CERTWIRE_JOURNAL_CRC32C_H_
#define CERTWIRE_JOURNAL_CRC32C_H_

#include <cstddef>
#include <cstdint>

namespace journal {

/// CRC32C (Castagnoli) of `data`, continued from `seed`, which is the CRC of what came before (0:
/// nothing). Uses the SSE4.2 instruction where the processor has it.
uint32_t Crc32c(const void* data, size_t size, uint32_t seed = 0);

/// The same by tables only; for tests and other processors.
uint32_t Crc32cPortable(const void* data, size_t size, uint32_t seed = 0);

}  // namespace journal

#endif  // CERTWIRE_JOURNAL_CRC32C_H_
