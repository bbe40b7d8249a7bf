#include "service_control.h"

#include <windows.h>

#include <cstdio>
#include <iterator>

namespace service_host {
namespace {

constexpr wchar_t kAccount[] = L"NT SERVICE\\Certwire";
constexpr DWORD kDaySeconds = 24 * 60 * 60;
/// A shutdown waits this much longer than a stop may take.
constexpr DWORD kShutdownReserveSeconds = 10;

/// Owns a handle of the service control manager.
class ServiceHandle {
 public:
  explicit ServiceHandle(SC_HANDLE handle) : handle_(handle) {}
  ~ServiceHandle() {
    if (handle_ != nullptr) CloseServiceHandle(handle_);
  }
  ServiceHandle(const ServiceHandle&) = delete;
  ServiceHandle& operator=(const ServiceHandle&) = delete;
  SC_HANDLE get() const { return handle_; }
  explicit operator bool() const { return handle_ != nullptr; }

 private:
  SC_HANDLE handle_;
};

bool PrintFailure(const char* what) {
  const DWORD error = GetLastError();
  std::fprintf(stderr, "certwire-service: %s: Windows error %lu%s\n", what, error,
               error == ERROR_ACCESS_DENIED ? " (run it as administrator)" : "");
  return false;
}

bool Create(SC_HANDLE manager, const std::wstring& command_line) {
  const ServiceHandle service(
      CreateServiceW(manager, kServiceName, kServiceName, SERVICE_CHANGE_CONFIG,
                     SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START, SERVICE_ERROR_NORMAL,
                     command_line.c_str(), nullptr, nullptr, nullptr, kAccount, nullptr));
  if (!service) return PrintFailure("the service cannot be created");
  std::puts("service created: Certwire, account NT SERVICE\\Certwire");
  return true;
}

/// Leaves its account and start type alone: an administrator may have changed them.
bool ChangeCommandLine(SC_HANDLE service, const std::wstring& command_line) {
  if (!ChangeServiceConfigW(service, SERVICE_NO_CHANGE, SERVICE_NO_CHANGE, SERVICE_NO_CHANGE,
                            command_line.c_str(), nullptr, nullptr, nullptr, nullptr, nullptr,
                            nullptr)) {
    return PrintFailure("the service cannot be changed");
  }
  std::puts("service changed: Certwire");
  return true;
}

bool Set(SC_HANDLE service, DWORD level, void* value, const char* name) {
  if (ChangeServiceConfig2W(service, level, value)) {
    std::printf("%s: set\n", name);
    return true;
  }
  if (GetLastError() != ERROR_INVALID_LEVEL) return PrintFailure(name);
  std::printf("%s: not known to this Windows\n", name);
  return true;
}

bool SetFailureActions(SC_HANDLE service) {
  SC_ACTION actions[] = {
      {SC_ACTION_RESTART, 5'000}, {SC_ACTION_RESTART, 5'000}, {SC_ACTION_RESTART, 60'000}};
  SERVICE_FAILURE_ACTIONSW failure{kDaySeconds, nullptr, nullptr,
                                   static_cast<DWORD>(std::size(actions)), actions};
  // Only after a crash of the host: it restarts the program itself, and stops with an error when
  // another start would be in vain.
  SERVICE_FAILURE_ACTIONS_FLAG flag{FALSE};
  const bool is_set =
      Set(service, SERVICE_CONFIG_FAILURE_ACTIONS, &failure, "restart after a crash");
  return Set(service, SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, &flag,
             "no restart after a stop with an error") &&
         is_set;
}

bool SetAll(SC_HANDLE service, uint32_t stop_seconds) {
  wchar_t text[] = L"Publishes the events of the certification authority";
  SERVICE_DESCRIPTIONW description{text};
  SERVICE_DELAYED_AUTO_START_INFO delayed{TRUE};
  SERVICE_SID_INFO sid{SERVICE_SID_TYPE_UNRESTRICTED};
  SERVICE_PRESHUTDOWN_INFO shutdown{(stop_seconds + kShutdownReserveSeconds) * 1'000};
  bool is_set = Set(service, SERVICE_CONFIG_DESCRIPTION, &description, "description");
  is_set &= Set(service, SERVICE_CONFIG_DELAYED_AUTO_START_INFO, &delayed, "delayed start");
  is_set &= SetFailureActions(service);
  is_set &= Set(service, SERVICE_CONFIG_SERVICE_SID_INFO, &sid, "SID type");
  is_set &= Set(service, SERVICE_CONFIG_PRESHUTDOWN_INFO, &shutdown, "time for a shutdown");
  return is_set;
}

}  // namespace

bool InstallService(const std::wstring& command_line) {
  const ServiceHandle manager(
      OpenSCManagerW(nullptr, nullptr, SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE));
  if (!manager) return PrintFailure("the service control manager cannot be opened");
  const ServiceHandle service(OpenServiceW(manager.get(), kServiceName, SERVICE_CHANGE_CONFIG));
  if (service) return ChangeCommandLine(service.get(), command_line);
  if (GetLastError() != ERROR_SERVICE_DOES_NOT_EXIST) {
    return PrintFailure("the service cannot be opened");
  }
  return Create(manager.get(), command_line);
}

bool ConfigureService(uint32_t stop_seconds) {
  const ServiceHandle manager(OpenSCManagerW(nullptr, nullptr, SC_MANAGER_CONNECT));
  if (!manager) return PrintFailure("the service control manager cannot be opened");
  // Failure actions that restart a service need the right to start it.
  const ServiceHandle service(
      OpenServiceW(manager.get(), kServiceName, SERVICE_CHANGE_CONFIG | SERVICE_START));
  if (!service) return PrintFailure("the service cannot be opened");
  return SetAll(service.get(), stop_seconds);
}

}  // namespace service_host
