#include "windows_system.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../event_log/event_log.h"
#include "../exit_module/access.h"
#include "../threads/abandonable_thread.h"
#include "journal/clock.h"
#include "journal/status.h"
#include "messages.h"
#include "promise_worker.h"
#include "windows_registry.h"
#include "windows_services.h"
#include "windows_trust.h"

namespace binding {
namespace {

static_assert(sizeof(wchar_t) == sizeof(char16_t));

std::wstring WideText(const Napi::Value& value) {
  const std::u16string text = value.ToString().Utf16Value();
  return std::wstring(text.begin(), text.end());
}

Napi::String ToText(Napi::Env env, const std::wstring& text) {
  return Napi::String::New(env, std::u16string(text.begin(), text.end()));
}

Napi::Array ToTexts(Napi::Env env, const std::vector<std::wstring>& texts) {
  Napi::Array array = Napi::Array::New(env, texts.size());
  for (uint32_t i = 0; i < texts.size(); i++) array.Set(i, ToText(env, texts[i]));
  return array;
}

/// An error with the number that Windows gave as `windowsError`.
Napi::Error WindowsError(Napi::Env env, DWORD number) {
  Napi::Error error = Napi::Error::New(env, "Windows error " + std::to_string(number));
  error.Set("windowsError", Napi::Number::New(env, number));
  return error;
}

Napi::Value Throw(Napi::Env env, DWORD number) {
  WindowsError(env, number).ThrowAsJavaScriptException();
  return env.Undefined();
}

/// Milliseconds since 1970.
Napi::Number ToTime(Napi::Env env, const FILETIME& time) {
  const uint64_t ticks = uint64_t{time.dwHighDateTime} << 32 | time.dwLowDateTime;
  const auto since_1970 = static_cast<int64_t>(ticks - journal::kUnixEpochUtc);
  return Napi::Number::New(env, static_cast<double>(since_1970) / 10000.0);
}

RegistryValue ToRegistryValue(const Napi::Value& value) {
  const Napi::Object object = value.As<Napi::Object>();
  const auto data = object.Get("data").As<Napi::Buffer<uint8_t>>();
  return {object.Get("type").ToNumber().Uint32Value(),
          std::vector<uint8_t>(data.Data(), data.Data() + data.Length())};
}

Napi::Value ReadRegistry(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  RegistryValue value;
  const DWORD error = ReadRegistryValue(WideText(info[0]), WideText(info[1]), &value);
  if (error == ERROR_FILE_NOT_FOUND) return env.Null();
  if (error != ERROR_SUCCESS) return Throw(env, error);
  Napi::Object object = Napi::Object::New(env);
  object.Set("type", Napi::Number::New(env, value.type));
  object.Set("data", Napi::Buffer<uint8_t>::Copy(env, value.data.data(), value.data.size()));
  return object;
}

Napi::Value ReplaceRegistry(const Napi::CallbackInfo& info) {
  const DWORD error = ReplaceRegistryValue(WideText(info[0]), WideText(info[1]),
                                           ToRegistryValue(info[2]), ToRegistryValue(info[3]));
  if (error == ERROR_SUCCESS) return Napi::Boolean::New(info.Env(), true);
  if (error == ERROR_REVISION_MISMATCH) return Napi::Boolean::New(info.Env(), false);
  return Throw(info.Env(), error);
}

Napi::Value RegistryKeyTime(const Napi::CallbackInfo& info) {
  FILETIME time;
  const DWORD error = ReadRegistryKeyTime(WideText(info[0]), &time);
  if (error == ERROR_FILE_NOT_FOUND) return info.Env().Null();
  return error == ERROR_SUCCESS ? ToTime(info.Env(), time) : Throw(info.Env(), error);
}

Napi::Value ListSubkeys(const Napi::CallbackInfo& info) {
  std::vector<std::wstring> names;
  const DWORD error = ListRegistrySubkeys(WideText(info[0]), &names);
  if (error == ERROR_FILE_NOT_FOUND) return info.Env().Null();
  if (error != ERROR_SUCCESS) return Throw(info.Env(), error);
  return ToTexts(info.Env(), names);
}

Napi::Value ServiceState(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  SERVICE_STATUS_PROCESS status{};
  const DWORD error = QueryService(WideText(info[0]), &status);
  if (error == ERROR_SERVICE_DOES_NOT_EXIST) return env.Null();
  if (error != ERROR_SUCCESS) return Throw(env, error);
  Napi::Object object = Napi::Object::New(env);
  object.Set("state", Napi::Number::New(env, status.dwCurrentState));
  object.Set("windowsError", Napi::Number::New(env, status.dwWin32ExitCode));
  object.Set("specificError", Napi::Number::New(env, status.dwServiceSpecificExitCode));
  FILETIME started;
  const bool known = status.dwProcessId != 0 && ReadProcessStart(status.dwProcessId, &started);
  object.Set("startedMs", known ? ToTime(env, started) : env.Null());
  return object;
}

Napi::Value ActiveDependents(const Napi::CallbackInfo& info) {
  std::vector<std::wstring> names;
  const DWORD error = ListActiveDependents(WideText(info[0]), &names);
  if (error != ERROR_SUCCESS) return Throw(info.Env(), error);
  return ToTexts(info.Env(), names);
}

/// A call of Windows that may take long.
class CallWorker final : public PromiseWorker {
 public:
  /// Returns the error of Windows, or ERROR_SUCCESS.
  using Call = std::function<DWORD()>;

  CallWorker(Napi::Env env, Call call) : PromiseWorker(env), call_(std::move(call)) {}

 protected:
  journal::Status Work() override {
    const DWORD error = call_();
    if (error == ERROR_SUCCESS) return journal::Status::Ok();
    return {journal::Status::Code::kIo, "Windows refused", static_cast<int>(error)};
  }

  Napi::Value Result() override { return Env().Undefined(); }

  Napi::Error Failure(journal::Status status) override {
    return WindowsError(Env(), static_cast<DWORD>(status.os_error()));
  }

 private:
  const Call call_;
};

template <DWORD (*kControl)(const std::wstring& name)>
Napi::Value ControlByName(const Napi::CallbackInfo& info) {
  const auto call = [name = WideText(info[0])] { return kControl(name); };
  return (new CallWorker(info.Env(), call))->Start();
}

/// The entries of the event log that are the service's own.
constexpr DWORD kServiceEntries[] = {
    MSG_SERVICE_STARTED, MSG_SERVICE_STOPPED, MSG_SINK_DOWN,        MSG_SINK_BACK,
    MSG_DEAD_LETTERS,    MSG_GAP_READ,        MSG_JOURNAL_FILLS_UP, MSG_CONFIGURATION_REFUSED,
};

/// Whether a call of the event log has not returned, although nobody waits for it any more.
std::atomic<bool> is_log_hanging = false;

/// An event log that hangs must not hold up the end of the process, which waits for Node's own
/// threads: the call has a thread that is left alone after two seconds.
DWORD WriteEntryInTime(DWORD id, const std::vector<std::wstring>& texts) {
  if (is_log_hanging.exchange(true)) return ERROR_BUSY;
  const auto error = std::make_shared<std::atomic<DWORD>>(ERROR_SUCCESS);
  try {
    threads::AbandonableThread thread([id, texts, error] {
      *error = event_log::WriteEntry(id, texts);
      is_log_hanging = false;
    });
    return thread.WaitForEnd(std::chrono::seconds(2)) ? error->load() : ERROR_TIMEOUT;
  } catch (const std::system_error&) {
    is_log_hanging = false;
    return ERROR_NO_SYSTEM_RESOURCES;
  }
}

Napi::Value WriteLogEntry(const Napi::CallbackInfo& info) {
  // The number that people see is the lower half of a message's.
  const uint32_t number = info[0].ToNumber().Uint32Value();
  const DWORD* id = std::find_if(std::begin(kServiceEntries), std::end(kServiceEntries),
                                 [number](DWORD each) { return (each & 0xFFFF) == number; });
  if (id == std::end(kServiceEntries)) return Throw(info.Env(), ERROR_INVALID_PARAMETER);
  const auto given = info[1].As<Napi::Array>();
  std::vector<std::wstring> texts;
  for (uint32_t i = 0; i < given.Length(); i++) texts.push_back(WideText(given.Get(i)));
  const auto call = [id = *id, texts = std::move(texts)] { return WriteEntryInTime(id, texts); };
  return (new CallWorker(info.Env(), call))->Start();
}

Napi::Value OthersMayWrite(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), exit_module::IsWritableByOthers(WideText(info[0])));
}

Napi::Value OthersMayRead(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), exit_module::IsReadableByOthers(WideText(info[0])));
}

Napi::Value Distrust(const Napi::CallbackInfo& info) {
  const std::wstring directory = WideText(info[0]);
  return ToText(info.Env(), exit_module::DistrustReason(directory, exit_module::Viewer::kSystem));
}

Napi::Value Signature(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<uint32_t>(VerifySignature(WideText(info[0]))));
}

}  // namespace

Napi::Object DefineWindows(Napi::Env env) {
  Napi::Object windows = Napi::Object::New(env);
  const auto define = [&](const char* name, Napi::Value (*function)(const Napi::CallbackInfo&)) {
    windows.Set(name, Napi::Function::New(env, function, name));
  };
  define("readRegistryValue", ReadRegistry);
  define("replaceRegistryValue", ReplaceRegistry);
  define("readRegistryKeyTime", RegistryKeyTime);
  define("listRegistrySubkeys", ListSubkeys);
  define("queryService", ServiceState);
  define("listActiveDependents", ActiveDependents);
  define("stopService", ControlByName<StopService>);
  define("startService", ControlByName<StartOneService>);
  define("isWritableByOthers", OthersMayWrite);
  define("isReadableByOthers", OthersMayRead);
  define("distrustReason", Distrust);
  define("verifySignature", Signature);
  define("writeEventLogEntry", WriteLogEntry);
  return windows;
}

}  // namespace binding
