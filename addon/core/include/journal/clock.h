#ifndef CERTWIRE_JOURNAL_CLOCK_H_
#define CERTWIRE_JOURNAL_CLOCK_H_

#include <cstdint>

namespace journal {

/// 1970-01-01 in 100 ns since 1601-01-01.
inline constexpr uint64_t kUnixEpochUtc = 116444736000000000;

/// UTC in 100 ns since 1601-01-01.
uint64_t UtcTime();
/// Nanoseconds of a clock that only moves forward.
uint64_t MonotonicNanos();

}  // namespace journal

#endif  // CERTWIRE_JOURNAL_CLOCK_H_
