#ifndef CERTWIRE_TEST_SUPPORT_SCALE_H_
#define CERTWIRE_TEST_SUPPORT_SCALE_H_

#include <cstdint>

namespace test {

/// An arbitrary number of events or rounds, times the environment variable CERTWIRE_TEST_SCALE (a
/// positive number, default 1; ends the process when it is anything else), but at least `least`.
uint64_t Scaled(uint64_t count, uint64_t least = 1);

}  // namespace test

#endif  // CERTWIRE_TEST_SUPPORT_SCALE_H_
