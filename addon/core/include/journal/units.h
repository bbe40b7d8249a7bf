#ifndef CERTWIRE_JOURNAL_UNITS_H_
#define CERTWIRE_JOURNAL_UNITS_H_

#include <cstdint>

namespace journal {

inline constexpr uint64_t kKibibyte = 1024;
inline constexpr uint64_t kMebibyte = 1024 * kKibibyte;

inline constexpr uint64_t kNanosPerMicrosecond = 1000;
inline constexpr uint64_t kNanosPerMillisecond = 1000 * kNanosPerMicrosecond;
inline constexpr uint64_t kNanosPerSecond = 1000 * kNanosPerMillisecond;

}  // namespace journal

#endif  // CERTWIRE_JOURNAL_UNITS_H_
