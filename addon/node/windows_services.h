#ifndef CERTWIRE_NODE_WINDOWS_SERVICES_H_
#define CERTWIRE_NODE_WINDOWS_SERVICES_H_

#include <windows.h>

#include <string>
#include <vector>

namespace binding {

/// What the service control manager knows about a service. Returns a Windows error,
/// ERROR_SERVICE_DOES_NOT_EXIST if there is no such service.
DWORD QueryService(const std::wstring& name, SERVICE_STATUS_PROCESS* status);

/// When a process started; false if that cannot be known.
bool ReadProcessStart(DWORD process_id, FILETIME* time);

/// Names of the services that depend on this one and are not stopped, those to stop first first.
DWORD ListActiveDependents(const std::wstring& name, std::vector<std::wstring>* names);

/// Asks a service to stop and does not wait until it has.
DWORD StopService(const std::wstring& name);

/// Starts a service; its process runs when this returns, which may take 30 s.
DWORD StartOneService(const std::wstring& name);

}  // namespace binding

#endif  // CERTWIRE_NODE_WINDOWS_SERVICES_H_
