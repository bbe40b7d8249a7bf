#include "short_sleeps.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "platform.h"

using journal::ShortSleeps;

namespace {

constexpr uint32_t kWaiting = 4;
constexpr uint32_t kDone = 1;
constexpr int64_t kFor2MsUs = 2000;
constexpr uint64_t kMillisecond = 1000000;

/// Sleeps until somebody ends it, or for `timeout_us`; true when somebody did.
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
  constexpr int kRounds = 20;
  ShortSleeps sleeps;
  sleeps.OpenTimers();
  const uint64_t start = journal::MonotonicNanos();
  std::atomic<int> woken{0};
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::atomic<uint32_t>> words(kSleepers);
    std::vector<std::thread> threads;
    for (auto& word : words) {
      threads.emplace_back([&] { woken += SleepUntilWoken(&sleeps, &word, 30000000); });
    }
    for (auto& word : words) {
      const uint32_t state = word.fetch_or(kDone);
      if ((state & kWaiting) != 0) sleeps.Wake(state >> ShortSleeps::kShift, &word);
    }
    for (auto& thread : threads) thread.join();
  }
  CHECK(woken == kSleepers * kRounds);
  CHECK(journal::MonotonicNanos() - start < 20000 * kMillisecond);
}

TEST_CASE("a sleep that nobody ends takes its 2 ms and little more") {
  ShortSleeps sleeps;
  sleeps.OpenTimers();
  std::vector<uint64_t> times;
  for (int i = 0; i < 50; ++i) {
    std::atomic<uint32_t> word{0};
    const uint64_t start = journal::MonotonicNanos();
    CHECK_FALSE(SleepUntilWoken(&sleeps, &word, kFor2MsUs));
    times.push_back(journal::MonotonicNanos() - start);
  }
  std::sort(times.begin(), times.end());
  MESSAGE("median " << times[25] / 1000 << " us, longest " << times.back() / 1000 << " us");
  CHECK(times[0] >= 2 * kMillisecond);
  // A machine whose processors are all busy gets some more.
  CHECK(times[10] < 10 * kMillisecond);
}
