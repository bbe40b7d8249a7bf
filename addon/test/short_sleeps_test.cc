#include "short_sleeps.h"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "journal/clock.h"
#include "journal/units.h"
#include "support/scale.h"
#include "support/wait.h"

using journal::ShortSleeps;

namespace {

constexpr uint32_t kWaiting = 4;
constexpr uint32_t kDone = 1;
constexpr int64_t kFor2MsUs = 2000;
constexpr int64_t kPatienceUs = int64_t{test::kPatienceMs} * 1000;

/// Sleeps until it is woken, or for `timeout_us`; true when it was woken.
bool SleepUntilWoken(ShortSleeps* sleeps, std::atomic<uint32_t>* word, int64_t timeout_us) {
  const uint32_t timer = sleeps->TakeTimer();
  const uint32_t waiting = kWaiting | timer << ShortSleeps::kShift;
  word->fetch_or(waiting);
  const uint64_t end = journal::MonotonicNanos() + static_cast<uint64_t>(timeout_us) * 1000;
  while ((word->load() & kDone) == 0 && journal::MonotonicNanos() < end) {
    sleeps->Sleep(timer, word, waiting, timeout_us);
  }
  sleeps->ReturnTimer(timer);
  return (word->load() & kDone) != 0;
}

}  // namespace

TEST_CASE("every sleeper is woken, also where there are more of them than timers") {
  constexpr int kSleepers = 50;
  const int rounds = static_cast<int>(test::Scaled(20));
  ShortSleeps sleeps;
  sleeps.OpenTimers();
  const uint64_t start = journal::MonotonicNanos();
  std::atomic<int> woken{0};
  for (int round = 0; round < rounds; ++round) {
    std::vector<std::atomic<uint32_t>> words(kSleepers);
    std::vector<std::thread> threads;
    for (auto& word : words) {
      threads.emplace_back([&] { woken += SleepUntilWoken(&sleeps, &word, kPatienceUs); });
    }
    for (auto& word : words) {
      const uint32_t state = word.fetch_or(kDone);
      if ((state & kWaiting) != 0) sleeps.Wake(state >> ShortSleeps::kShift, &word);
    }
    for (auto& thread : threads) thread.join();
  }
  CHECK(woken == kSleepers * rounds);
  // A sleeper that was not woken would have slept for all of its time.
  CHECK(journal::MonotonicNanos() - start < kPatienceUs * journal::kNanosPerMicrosecond);
}

TEST_CASE("a sleep that is not ended takes its 2 ms and little more") {
  ShortSleeps sleeps;
  sleeps.OpenTimers();
  constexpr int kInARow = 5;
  // With a clock that ticks every 15.6 ms each sleep ends at a tick of its own, so that five in a
  // row take four ticks at least, 62 ms, however busy or idle the machine is.
  constexpr uint64_t kLimit = 50 * journal::kNanosPerMillisecond;
  // A machine whose processors are all busy needs more attempts.
  CHECK(test::WaitUntil([&] {
    const uint64_t first = journal::MonotonicNanos();
    for (int i = 0; i < kInARow; ++i) {
      std::atomic<uint32_t> word{0};
      const uint64_t start = journal::MonotonicNanos();
      CHECK_FALSE(SleepUntilWoken(&sleeps, &word, kFor2MsUs));
      CHECK(journal::MonotonicNanos() - start >= 2 * journal::kNanosPerMillisecond);
    }
    return journal::MonotonicNanos() - first < kLimit;
  }));
}
