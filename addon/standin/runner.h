#ifndef CERTWIRE_STANDIN_RUNNER_H_
#define CERTWIRE_STANDIN_RUNNER_H_

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "exit_client.h"
#include "report.h"
#include "scenario.h"
#include "tally.h"

namespace standin {

/// Calls the module for every step of a scenario, from the scenario's threads.
class Runner {
 public:
  Runner(const Scenario& scenario, ExitClient* module, Report* report, Tally* tally);

  /// End this process with TerminateProcess as soon as this many calls of Notify returned.
  void KillAfter(size_t calls) { kill_after_ = calls; }
  /// Run all steps this many times. Then only calls that fail are reported one by one, and after
  /// each round what the process holds and how long its calls took at most.
  void Repeat(size_t rounds) { rounds_ = rounds; }

  HRESULT Initialize();
  /// Runs all steps and sends the stop event, after them or among them as the scenario says.
  void RunSteps();
  /// True when every call so far returned S_OK.
  bool all_ok() const { return all_ok_; }

 private:
  /// The steps of one chain that are still to be run, as positions in the scenario.
  struct Chain {
    std::vector<size_t> steps;
    size_t next = 0;
  };

  void RunRound();
  void ReportRound(size_t round);
  void Work(unsigned worker);
  Chain* TakeChain();
  void GiveBack(Chain* chain);
  void RunStep(const Chain& chain, unsigned worker);
  void Shutdown();
  void Describe(bool late_bound);

  const Scenario& scenario_;
  ExitClient* const module_;
  Report* const report_;
  Tally* const tally_;
  std::optional<size_t> kill_after_;
  std::optional<size_t> rounds_;
  std::atomic<bool> all_ok_ = true;
  /// Numbers beginnings and ends of calls, so that the result shows what overlapped.
  std::atomic<uint64_t> clock_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Chain> chains_;
  std::deque<Chain*> ready_;
  size_t unstarted_ = 0;
  size_t returned_ = 0;
  int64_t longest_us_ = 0;
};

}  // namespace standin

#endif  // CERTWIRE_STANDIN_RUNNER_H_
