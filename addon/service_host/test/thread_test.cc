#include <doctest/doctest.h>

#include <atomic>
#include <chrono>

#include "../../threads/abandonable_thread.h"
#include "support/wait.h"

namespace service_host {

TEST_CASE("each of many threads, one started as the one before it ends, runs its body") {
  constexpr int kThreads = 10000;
  std::atomic<int> bodies = 0;
  for (int i = 0; i < kThreads; ++i) {
    threads::AbandonableThread thread([&bodies] { ++bodies; });
    REQUIRE(thread.WaitForEnd(std::chrono::milliseconds(test::kPatienceMs)));
  }
  CHECK(bodies == kThreads);
}

}  // namespace service_host
