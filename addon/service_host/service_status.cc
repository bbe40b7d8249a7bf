#include "service_status.h"

namespace service_host {
namespace {

constexpr DWORD kNextSignOfLifeMs = 5'000;

}  // namespace

void ServiceStatus::StartPending() {
  const std::lock_guard lock(mutex_);
  Report(SERVICE_START_PENDING);
}

void ServiceStatus::StopPending() {
  const std::lock_guard lock(mutex_);
  if (status_.dwCurrentState != SERVICE_STOPPED) Report(SERVICE_STOP_PENDING);
}

void ServiceStatus::Running() {
  const std::lock_guard lock(mutex_);
  if (status_.dwCurrentState == SERVICE_START_PENDING) Report(SERVICE_RUNNING);
}

void ServiceStatus::Stopped(const Outcome& outcome) {
  const std::lock_guard lock(mutex_);
  status_.dwWin32ExitCode = outcome.windows_error;
  status_.dwServiceSpecificExitCode = outcome.exit_code;
  Report(SERVICE_STOPPED);
}

void ServiceStatus::Report(DWORD state) {
  const bool is_pending = state == SERVICE_START_PENDING || state == SERVICE_STOP_PENDING;
  status_.dwCheckPoint =
      !is_pending ? 0 : (state == status_.dwCurrentState ? status_.dwCheckPoint + 1 : 1);
  status_.dwWaitHint = is_pending ? kNextSignOfLifeMs : 0;
  status_.dwCurrentState = state;
  status_.dwControlsAccepted =
      state == SERVICE_RUNNING ? SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_PRESHUTDOWN : 0;
  if (handle_ != nullptr) SetServiceStatus(handle_, &status_);
}

}  // namespace service_host
