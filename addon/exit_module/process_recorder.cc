#include "process_recorder.h"

#include <new>

#include "journal_keeper.h"

namespace exit_module {
namespace {

constinit std::atomic<ProcessRecorder*> process_recorder{nullptr};
constinit INIT_ONCE once = INIT_ONCE_STATIC_INIT;

/// Longest time that the first event waits until the settings are read. They name attributes that
/// must not be recorded; without them the values of attributes are left out.
constexpr DWORD kSettingsWaitMs = 250;

/// The DLL stays loaded: its threads run until the process ends.
void PinThisDll() {
  HMODULE handle = nullptr;
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                     reinterpret_cast<const wchar_t*>(&process_recorder), &handle);
}

}  // namespace

/// What one event needs. Made outside of the guarded frame, whose destructors do not run when
/// memory is short.
struct ProcessRecorder::Call {
  ServerProperties source;
  collect::Record record;
};

ProcessRecorder* ProcessRecorder::Get() { return process_recorder.load(std::memory_order_acquire); }

ProcessRecorder::ProcessRecorder(journal::Writer& writer, std::wstring_view ca_name)
    : writer_(writer),
      ca_name_(ca_name),
      recorder_(writer, std::u16string(ca_name.begin(), ca_name.end())),
      tried_(CreateEventW(nullptr, TRUE, FALSE, nullptr)),
      configured_(CreateEventW(nullptr, TRUE, FALSE, nullptr)) {
  recorder_.AwaitSecretNames();
}

ProcessRecorder* ProcessRecorder::Make(std::wstring_view ca_name) {
  journal::Writer* writer = journal::Writer::Create({});
  return writer == nullptr ? nullptr : new ProcessRecorder(*writer, ca_name);
}

void ProcessRecorder::Start(std::wstring_view ca_name) {
  BOOL first = FALSE;
  if (!InitOnceBeginInitialize(&once, 0, &first, nullptr) || !first) return;
  PinThisDll();
  ProcessRecorder* made = nullptr;
  Fault fault;
  Guarded([&] { made = Make(ca_name); }, &fault);
  process_recorder.store(made, std::memory_order_release);
  InitOnceComplete(&once, made == nullptr ? INIT_ONCE_INIT_FAILED : 0, nullptr);
  if (made != nullptr) made->Notify(collect::kStarted, 0);
}

void ProcessRecorder::EnsureJournalKeeper() {
  if (has_thread_.load(std::memory_order_relaxed) || has_thread_.exchange(true)) return;
  if (!StartJournalKeeper(this)) has_thread_.store(false);
}

void ProcessRecorder::Notify(int32_t event, int32_t context) {
  EnsureJournalKeeper();
  AwaitSettings(event);
  Record(event, context);
  if (event == collect::kShutdown) Seal();
}

void ProcessRecorder::Record(int32_t event, int32_t context) {
  auto* call = new (std::nothrow) Call;
  if (call == nullptr) return Abandon({kOutOfMemory});
  Fault fault;
  const bool done = Guarded([&] { Record(event, context, call); }, &fault);
  if (!done) Abandon(fault);
  // After any other fault it may be half-changed, and is leaked.
  if (done || fault.code == kOutOfMemory) delete call;
}

void ProcessRecorder::Record(int32_t event, int32_t context, Call* call) {
  recorder_.Notify(event, context, call->source, &call->record);
  if (call->source.Faulted()) NoteFault(call->source.fault());
  if (collect::Failed(call->source.open_result())) {
    unanswered_events_.fetch_add(1, std::memory_order_relaxed);
    last_server_result_.store(call->source.open_result(), std::memory_order_relaxed);
  }
}

void ProcessRecorder::NoteFault(const Fault& fault) {
  fault_address_.store(reinterpret_cast<uintptr_t>(fault.address), std::memory_order_relaxed);
  fault_code_.store(fault.code, std::memory_order_release);
}

void ProcessRecorder::Abandon(const Fault& fault) {
  writer_.CountDropped(collect::SystemClock().UtcTime(), 0);
  if (fault.code == kOutOfMemory) return;
  recorder_.StopCollecting();
  NoteFault(fault);
}

void ProcessRecorder::SetBlankedAttributes(const std::vector<std::wstring>& names) {
  std::vector<std::u16string> units;
  for (const std::wstring& name : names) units.emplace_back(name.begin(), name.end());
  recorder_.SetSecretNames(collect::SecretNames(units));
  awaits_settings_.store(false);
  SetEvent(configured_);
}

void ProcessRecorder::AwaitSettings(int32_t event) {
  // The start of the CA has no attributes, and is never held up.
  if (event == collect::kStarted || !awaits_settings_.load() || !has_thread_.load()) return;
  // Once: if the registry hangs, later events must not wait for it too.
  if (WaitForSingleObject(configured_, kSettingsWaitMs) != WAIT_OBJECT_0) {
    awaits_settings_.store(false);
  }
}

void ProcessRecorder::WriterTried(bool started) {
  if (started) writer_started_.store(true);
  SetEvent(tried_);
}

void ProcessRecorder::Seal() {
  if (!has_thread_.load()) return;
  const collect::Clock& clock = collect::SystemClock();
  const uint64_t deadline = clock.MonotonicMs() + collect::kShutdownWaitMs;
  // A CA that stops at once may do so before the background thread has read its settings.
  if (WaitForSingleObject(tried_, collect::kShutdownWaitMs) != WAIT_OBJECT_0) return;
  if (!writer_started_.load()) return;
  const uint64_t now = clock.MonotonicMs();
  recorder_.Shutdown(now < deadline ? static_cast<uint32_t>(deadline - now) : 0);
}

ProcessRecorder::Troubles ProcessRecorder::troubles() const {
  Troubles troubles;
  troubles.fault_code = fault_code_.load(std::memory_order_acquire);
  troubles.fault_address = fault_address_.load(std::memory_order_relaxed);
  troubles.unanswered_events = unanswered_events_.load(std::memory_order_relaxed);
  troubles.last_server_result = last_server_result_.load(std::memory_order_relaxed);
  return troubles;
}

}  // namespace exit_module
