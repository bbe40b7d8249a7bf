// How the stand-in calls a module: which thread, which order, which of the two ways.
#include "runner.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "dummy_exit.h"

namespace standin {
namespace {

constexpr int kChains = 12;
constexpr int kStepsPerChain = 10;

std::wstring ResultPath() {
  wchar_t directory[MAX_PATH];
  GetTempPathW(MAX_PATH, directory);
  return std::wstring(directory) + L"runner-test.ndjson";
}

/// The step numbers are the events, the chain numbers the contexts.
Scenario MakeScenario(unsigned threads) {
  Scenario scenario;
  scenario.ca_name = L"Test CA";
  scenario.threads = threads;
  for (int step = 1; step <= kStepsPerChain; ++step) {
    for (int chain = 1; chain <= kChains; ++chain) {
      Step made;
      made.event = step;
      made.context = chain;
      made.chain = std::to_string(chain);
      made.late_bound = step % 2 == 0;
      scenario.steps.push_back(std::move(made));
    }
  }
  return scenario;
}

/// A runner with a dummy module.
struct Bench {
  explicit Bench(unsigned threads) : scenario(MakeScenario(threads)) {
    client.Attach(&module, false);
  }

  Scenario scenario;
  DummyExit module;
  ExitClient client;
  Tally tally;
  Report report{ResultPath()};
  Runner runner{scenario, &client, &report, &tally};
};

TEST_CASE("steps of one chain keep their order while chains overlap") {
  Bench bench(6);
  bench.module.least_at_once = 2;
  REQUIRE(bench.runner.Initialize() == S_OK);
  bench.runner.RunSteps();
  CHECK(bench.module.ca_name() == L"Test CA");
  const auto notices = bench.module.notices();
  // The last one is the stop of the certification authority.
  REQUIRE(notices.size() == kChains * kStepsPerChain + 1);
  CHECK(notices.back().event == EXITEVENT_SHUTDOWN);
  for (int chain = 1; chain <= kChains; ++chain) {
    LONG last = 0;
    for (const auto& notice : notices) {
      if (notice.context != chain) continue;
      CHECK(notice.event == last + 1);
      last = notice.event;
    }
    CHECK(last == kStepsPerChain);
  }
  CHECK(bench.module.most_at_once() > 1);
  CHECK(bench.module.most_at_once() <= 6);
  CHECK(bench.runner.all_ok());
}

TEST_CASE("each step is called the way it says") {
  Bench bench(2);
  REQUIRE(bench.runner.Initialize() == S_OK);
  bench.runner.RunSteps();
  auto notices = bench.module.notices();
  notices.pop_back();
  CHECK(std::all_of(notices.begin(), notices.end(), [](const DummyExit::Notice& notice) {
    return notice.late_bound == (notice.event % 2 == 0);
  }));
}

TEST_CASE("a stop in the middle leaves the other threads calling") {
  constexpr int kBeforeStop = 40;
  Bench bench(4);
  bench.scenario.shutdown_after = 30;
  // However late the stop comes, there are calls left.
  bench.module.most_before_stop = kBeforeStop;
  REQUIRE(bench.runner.Initialize() == S_OK);
  bench.runner.RunSteps();
  const auto notices = bench.module.notices();
  REQUIRE(notices.size() == kChains * kStepsPerChain + 1);
  const auto stop = std::find_if(notices.begin(), notices.end(), [](const auto& notice) {
    return notice.event == EXITEVENT_SHUTDOWN && notice.context == 0;
  });
  CHECK(stop - notices.begin() >= 30);
  CHECK(notices.end() - stop > kChains * kStepsPerChain - kBeforeStop);
}

TEST_CASE("steps are repeated in their order, before one stop") {
  Bench bench(3);
  bench.runner.Repeat(4);
  REQUIRE(bench.runner.Initialize() == S_OK);
  bench.runner.RunSteps();
  const auto notices = bench.module.notices();
  constexpr size_t kRound = kChains * kStepsPerChain;
  REQUIRE(notices.size() == 4 * kRound + 1);
  CHECK(notices.back().event == EXITEVENT_SHUTDOWN);
  std::map<LONG, std::vector<LONG>> events;
  for (size_t i = 0; i < 4 * kRound; ++i) events[notices[i].context].push_back(notices[i].event);
  for (const auto& [chain, own] : events) {
    for (size_t i = 0; i < own.size(); ++i)
      CHECK(own[i] == static_cast<LONG>(i) % kStepsPerChain + 1);
  }
}

TEST_CASE("a module that fails is noticed") {
  Bench bench(1);
  REQUIRE(bench.runner.Initialize() == S_OK);
  REQUIRE(bench.runner.all_ok());
  bench.module.result = E_FAIL;
  bench.runner.RunSteps();
  CHECK_FALSE(bench.runner.all_ok());
}

}  // namespace
}  // namespace standin
