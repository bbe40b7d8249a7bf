#include "module.h"

#include "background.h"

namespace exit_module {
namespace {

constinit std::atomic<Module*> module{nullptr};
constinit INIT_ONCE once = INIT_ONCE_STATIC_INIT;

/// The DLL stays loaded: its threads run until the process ends.
void PinThisDll() {
  HMODULE handle = nullptr;
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                     reinterpret_cast<const wchar_t*>(&module), &handle);
}

}  // namespace

Module* Module::Get() { return module.load(std::memory_order_acquire); }

Module::Module(journal::Writer& writer, std::wstring_view ca_name)
    : writer_(writer),
      ca_name_(ca_name),
      recorder_(writer, std::u16string(ca_name.begin(), ca_name.end())),
      started_(CreateEventW(nullptr, TRUE, FALSE, nullptr)) {}

void Module::Start(std::wstring_view ca_name) {
  BOOL first = FALSE;
  if (!InitOnceBeginInitialize(&once, 0, &first, nullptr) || !first) return;
  // Whatever becomes of this attempt, there is no second one.
  InitOnceComplete(&once, 0, nullptr);
  PinThisDll();
  journal::Writer* writer = journal::Writer::Create({});
  if (writer == nullptr) return;
  auto* made = new Module(*writer, ca_name);
  module.store(made, std::memory_order_release);
  StartBackgroundThread(made);
  made->Record(collect::kStarted, 0);
}

void Module::Notify(int32_t event, int32_t context) {
  Record(event, context);
  if (event == collect::kShutdown) Seal();
}

void Module::Record(int32_t event, int32_t context) {
  ServerProperties source;
  recorder_.Notify(event, context, source);
  if (source.Faulted()) NoteFault(source.fault());
  if (collect::Failed(source.open_result())) {
    unanswered_events_.fetch_add(1, std::memory_order_relaxed);
    last_server_result_.store(source.open_result(), std::memory_order_relaxed);
  }
}

void Module::NoteFault(const Fault& fault) {
  fault_address_.store(reinterpret_cast<uintptr_t>(fault.address), std::memory_order_relaxed);
  fault_code_.store(fault.code, std::memory_order_release);
}

void Module::Abandon(const Fault& fault) {
  writer_.CountDropped(collect::SystemClock().UtcTime(), 0);
  if (fault.code == kOutOfMemory) return;
  recorder_.StopCollecting();
  NoteFault(fault);
}

void Module::Seal() {
  const ULONGLONG deadline = GetTickCount64() + collect::kShutdownWaitMs;
  // A CA that stops at once may do so before the background thread has read its settings.
  if (WaitForSingleObject(started_, collect::kShutdownWaitMs) != WAIT_OBJECT_0) return;
  const ULONGLONG now = GetTickCount64();
  recorder_.Shutdown(now < deadline ? static_cast<uint32_t>(deadline - now) : 0);
}

Module::Troubles Module::troubles() const {
  Troubles troubles;
  troubles.fault_code = fault_code_.load(std::memory_order_acquire);
  troubles.fault_address = fault_address_.load(std::memory_order_relaxed);
  troubles.unanswered_events = unanswered_events_.load(std::memory_order_relaxed);
  troubles.last_server_result = last_server_result_.load(std::memory_order_relaxed);
  return troubles;
}

}  // namespace exit_module
