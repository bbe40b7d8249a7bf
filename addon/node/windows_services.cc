#include "windows_services.h"

#include <cstdint>

namespace binding {
namespace {

/// A service, opened with some rights.
class OpenedService {
 public:
  OpenedService(const std::wstring& name, DWORD rights)
      : manager_(OpenSCManagerW(nullptr, nullptr, SC_MANAGER_CONNECT)) {
    if (manager_ != nullptr) service_ = OpenServiceW(manager_, name.c_str(), rights);
    if (service_ == nullptr) error_ = GetLastError();
  }
  ~OpenedService() {
    if (service_ != nullptr) CloseServiceHandle(service_);
    if (manager_ != nullptr) CloseServiceHandle(manager_);
  }
  OpenedService(const OpenedService&) = delete;
  OpenedService& operator=(const OpenedService&) = delete;

  SC_HANDLE get() const { return service_; }
  DWORD error() const { return error_; }

 private:
  const SC_HANDLE manager_;
  SC_HANDLE service_ = nullptr;
  DWORD error_ = ERROR_SUCCESS;
};

DWORD ErrorUnless(BOOL done) { return done ? ERROR_SUCCESS : GetLastError(); }

}  // namespace

DWORD QueryService(const std::wstring& name, SERVICE_STATUS_PROCESS* status) {
  const OpenedService service(name, SERVICE_QUERY_STATUS);
  if (service.error() != ERROR_SUCCESS) return service.error();
  DWORD size = 0;
  return ErrorUnless(QueryServiceStatusEx(service.get(), SC_STATUS_PROCESS_INFO,
                                          reinterpret_cast<BYTE*>(status), sizeof *status, &size));
}

bool ReadProcessStart(DWORD process_id, FILETIME* time) {
  const HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, process_id);
  if (process == nullptr) return false;
  FILETIME exit;
  FILETIME kernel;
  FILETIME user;
  const BOOL read = GetProcessTimes(process, time, &exit, &kernel, &user);
  CloseHandle(process);
  return read;
}

DWORD ListActiveDependents(const std::wstring& name, std::vector<std::wstring>* names) {
  const OpenedService service(name, SERVICE_ENUMERATE_DEPENDENTS);
  if (service.error() != ERROR_SUCCESS) return service.error();
  std::vector<uint64_t> memory(1);  // aligned for the structures in it
  for (;;) {
    const DWORD size = static_cast<DWORD>(memory.size() * sizeof(uint64_t));
    auto* found = reinterpret_cast<ENUM_SERVICE_STATUSW*>(memory.data());
    DWORD needed = 0;
    DWORD count = 0;
    if (EnumDependentServicesW(service.get(), SERVICE_ACTIVE, found, size, &needed, &count)) {
      for (DWORD i = 0; i < count; ++i) names->emplace_back(found[i].lpServiceName);
      return ERROR_SUCCESS;
    }
    const DWORD error = GetLastError();
    if (error != ERROR_MORE_DATA || needed <= size) return error;
    memory.resize(needed / sizeof(uint64_t) + 1);
  }
}

DWORD StopService(const std::wstring& name) {
  const OpenedService service(name, SERVICE_STOP);
  if (service.error() != ERROR_SUCCESS) return service.error();
  SERVICE_STATUS status;
  return ErrorUnless(ControlService(service.get(), SERVICE_CONTROL_STOP, &status));
}

DWORD StartOneService(const std::wstring& name) {
  const OpenedService service(name, SERVICE_START);
  if (service.error() != ERROR_SUCCESS) return service.error();
  return ErrorUnless(StartServiceW(service.get(), 0, nullptr));
}

}  // namespace binding
