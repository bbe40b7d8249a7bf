#include <windows.h>
// After windows.h, which it needs.
#include <msi.h>
#include <msiquery.h>

namespace {

constexpr wchar_t kServiceName[] = L"Certwire";

/// True while the service starts, runs or stops. False if it is stopped, not there, or may not be
/// asked.
bool IsServiceRunning() {
  const SC_HANDLE manager = OpenSCManagerW(nullptr, nullptr, SC_MANAGER_CONNECT);
  if (manager == nullptr) return false;
  const SC_HANDLE service = OpenServiceW(manager, kServiceName, SERVICE_QUERY_STATUS);
  SERVICE_STATUS status{};
  const bool is_known = service != nullptr && QueryServiceStatus(service, &status) != FALSE;
  // An open handle would keep the service from being deleted.
  if (service != nullptr) CloseServiceHandle(service);
  CloseServiceHandle(manager);
  return is_known && status.dwCurrentState != SERVICE_STOPPED;
}

}  // namespace

/// Immediate custom action, before costing: sets the property ServiceWasRunning, so that an upgrade
/// or a repair starts the service again if it ran, and not otherwise. The name is not upper-case:
/// no command line can set it.
extern "C" UINT __stdcall ReadServiceState(MSIHANDLE installation) {
  if (!IsServiceRunning()) return ERROR_SUCCESS;
  return MsiSetPropertyW(installation, L"ServiceWasRunning", L"1");
}
