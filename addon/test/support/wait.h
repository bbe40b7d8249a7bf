#ifndef CERTWIRE_TEST_SUPPORT_WAIT_H_
#define CERTWIRE_TEST_SUPPORT_WAIT_H_

#include <cstdint>
#include <functional>

namespace test {

/// How long a test waits for what must happen: far longer than the slowest machine needs.
inline constexpr uint32_t kPatienceMs = 120000;

/// Waits until `done`, which is called again and again; false when that took kPatienceMs.
bool WaitUntil(const std::function<bool()>& done);

}  // namespace test

#endif  // CERTWIRE_TEST_SUPPORT_WAIT_H_
