#ifndef CERTWIRE_SERVICE_HOST_SERVICE_STATUS_H_
#define CERTWIRE_SERVICE_HOST_SERVICE_STATUS_H_

#include <windows.h>

#include <mutex>

namespace service_host {

/// How the service ended: a Windows error, and with ERROR_SERVICE_SPECIFIC_ERROR an exit code.
struct Outcome {
  DWORD windows_error = NO_ERROR;
  DWORD exit_code = 0;
};

/// Reports states to the service control manager; does nothing without one. Used by the thread of
/// the service and by that of the control handler.
class ServiceStatus {
 public:
  /// Null: there is no service control manager, the host runs in a console.
  void SetHandle(SERVICE_STATUS_HANDLE handle) { handle_ = handle; }

  /// Each call is a sign of life: the next one is due within 5 s.
  void StartPending();
  void StopPending();
  /// From now the service accepts a stop and the beginning of a shutdown. Does nothing once it
  /// stops.
  void Running();
  void Stopped(const Outcome& outcome);

 private:
  void Report(DWORD state);

  std::mutex mutex_;
  SERVICE_STATUS_HANDLE handle_ = nullptr;
  SERVICE_STATUS status_{SERVICE_WIN32_OWN_PROCESS, 0, 0, NO_ERROR, 0, 0, 0};
};

}  // namespace service_host

#endif  // CERTWIRE_SERVICE_HOST_SERVICE_STATUS_H_
