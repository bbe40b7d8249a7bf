#include "runner.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>
#include <unordered_map>

#include "resources.h"
#include "server_exit.h"
#include "text.h"

namespace standin {
namespace {

using nlohmann::json;

constexpr UINT kKilledExitCode = 9;

/// UTC in 100 ns since 1601-01-01.
uint64_t Now() {
  FILETIME time;
  GetSystemTimePreciseAsFileTime(&time);
  return (static_cast<uint64_t>(time.dwHighDateTime) << 32) | time.dwLowDateTime;
}

int64_t Microseconds() {
  LARGE_INTEGER frequency;
  LARGE_INTEGER count;
  QueryPerformanceFrequency(&frequency);
  QueryPerformanceCounter(&count);
  return count.QuadPart * 1'000'000 / frequency.QuadPart;
}

void EnterApartment(Apartment apartment) {
  if (apartment == Apartment::kNone) return;
  CoInitializeEx(nullptr,
                 apartment == Apartment::kSingle ? COINIT_APARTMENTTHREADED : COINIT_MULTITHREADED);
}

void LeaveApartment(Apartment apartment) {
  if (apartment != Apartment::kNone) CoUninitialize();
}

/// Makes one call inside a CallScope and returns the line that describes it.
template <typename Function>
json Measure(const char* call, std::atomic<uint64_t>* clock, const Function& function) {
  json line = {{"call", call}, {"threadId", GetCurrentThreadId()}};
  // As text, since the numbers are above 2^53.
  line["from"] = std::to_string(Now());
  line["begin"] = (*clock)++;
  const int64_t start = Microseconds();
  const HRESULT result = function();
  line["us"] = Microseconds() - start;
  line["end"] = (*clock)++;
  line["to"] = std::to_string(Now());
  line["hresult"] = HexResult(result);
  return line;
}

bool IsOk(const json& line) { return line.at("hresult") == HexResult(S_OK); }

}  // namespace

Runner::Runner(const Scenario& scenario, ExitClient* module, Report* report, Tally* tally)
    : scenario_(scenario), module_(module), report_(report), tally_(tally) {
  std::unordered_map<std::string, size_t> by_name;
  for (size_t i = 0; i < scenario.steps.size(); ++i) {
    const auto [found, is_new] = by_name.emplace(scenario.steps[i].chain, chains_.size());
    if (is_new) chains_.emplace_back();
    chains_[found->second].steps.push_back(i);
  }
}

void Runner::Describe(bool late_bound) {
  std::wstring description;
  std::wstring version;
  json line = Measure("GetDescription", &clock_,
                      [&] { return module_->GetDescription(late_bound, &description); });
  line["text"] = Narrow(description);
  report_->Write(line);
  all_ok_ = all_ok_ && IsOk(line);
  line = Measure("GetManageModule", &clock_,
                 [&] { return module_->GetManageProperty(L"File Version", late_bound, &version); });
  line["text"] = Narrow(version);
  report_->Write(line);
  all_ok_ = all_ok_ && IsOk(line);
}

HRESULT Runner::Initialize() {
  // certsrv may ask for the description before it initializes the module.
  Describe(scenario_.late_bound);
  if (!scenario_.late_bound) Describe(true);
  LONG mask = 0;
  HRESULT result = S_OK;
  json line = Measure("Initialize", &clock_, [&] {
    const CallScope scope(scenario_, scenario_.start_and_stop, tally_);
    result = module_->Initialize(scenario_.ca_name, scenario_.late_bound, &mask);
    return result;
  });
  line["mask"] = mask;
  line["pid"] = GetCurrentProcessId();
  report_->Write(line);
  all_ok_ = all_ok_ && IsOk(line);
  return result;
}

void Runner::RunSteps() {
  for (size_t round = 0; round < rounds_.value_or(1); ++round) {
    RunRound();
    if (rounds_) ReportRound(round);
  }
  if (!scenario_.shutdown_after) Shutdown();
}

void Runner::RunRound() {
  for (Chain& chain : chains_) {
    chain.next = 0;
    ready_.push_back(&chain);
  }
  unstarted_ = scenario_.steps.size();
  std::vector<std::thread> workers;
  for (unsigned i = 0; i < scenario_.threads; ++i) workers.emplace_back(&Runner::Work, this, i);
  if (scenario_.shutdown_after) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return returned_ >= *scenario_.shutdown_after; });
    lock.unlock();
    Shutdown();
  }
  for (std::thread& worker : workers) worker.join();
}

void Runner::ReportRound(size_t round) {
  const Resources held = MeasureResources();
  report_->Write({{"call", "round"},
                  {"round", round},
                  {"longestUs", longest_us_},
                  {"handles", held.handles},
                  {"privateBytes", held.private_bytes}});
  longest_us_ = 0;
}

void Runner::Shutdown() {
  const json line = Measure("Shutdown", &clock_, [&] {
    const CallScope scope(scenario_, scenario_.start_and_stop, tally_);
    return module_->Notify(EXITEVENT_SHUTDOWN, 0, scenario_.late_bound);
  });
  report_->Write(line);
  all_ok_ = all_ok_ && IsOk(line);
}

void Runner::Work(unsigned worker) {
  EnterApartment(scenario_.worker_apartment);
  while (Chain* chain = TakeChain()) {
    RunStep(*chain, worker);
    GiveBack(chain);
  }
  LeaveApartment(scenario_.worker_apartment);
}

/// The chain whose turn it is; waits while all are busy, null when no step is left.
Runner::Chain* Runner::TakeChain() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !ready_.empty() || unstarted_ == 0; });
  if (unstarted_ == 0) return nullptr;
  --unstarted_;
  if (unstarted_ == 0) changed_.notify_all();
  Chain* chain = ready_.front();
  ready_.pop_front();
  return chain;
}

/// Puts the chain at the end of the queue, so that as many requests as possible interleave.
void Runner::GiveBack(Chain* chain) {
  const std::lock_guard lock(mutex_);
  ++returned_;
  ++chain->next;
  if (chain->next < chain->steps.size()) ready_.push_back(chain);
  changed_.notify_all();
}

void Runner::RunStep(const Chain& chain, unsigned worker) {
  const size_t index = chain.steps[chain.next];
  const Step& step = scenario_.steps[index];
  json line = Measure("Notify", &clock_, [&] {
    const CallScope scope(scenario_, step, tally_);
    return module_->Notify(step.event, step.context, step.late_bound || scenario_.late_bound);
  });
  line["step"] = index;
  line["chain"] = step.chain;
  line["thread"] = worker;
  if (!IsOk(line)) all_ok_ = false;
  if (!rounds_ || !IsOk(line)) report_->Write(line);
  const std::lock_guard lock(mutex_);
  longest_us_ = std::max(longest_us_, line.at("us").get<int64_t>());
  if (kill_after_ && returned_ + 1 >= *kill_after_) {
    TerminateProcess(GetCurrentProcess(), kKilledExitCode);
  }
}

}  // namespace standin
