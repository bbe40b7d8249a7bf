#include "service_main.h"

#include <windows.h>

#include <cstdio>
#include <memory>

#include "event_log/event_log.h"
#include "handle.h"
#include "host_log.h"
#include "messages.h"
#include "service_control.h"
#include "service_status.h"
#include "supervisor.h"
#include "version.h"

namespace service_host {
namespace {

constexpr DWORD kWrongCommandLine = 2;
constexpr int kNotRun = 1;

/// What the callbacks of Windows need, for which it has no argument.
struct Host {
  explicit Host(const Options& host_options)
      : options(host_options), stop(CreateEventW(nullptr, TRUE, FALSE, nullptr)) {}

  const Options& options;
  const Handle stop;
  ServiceStatus status;
};

Host* running_host = nullptr;

Outcome Supervise(Host* host) {
  const auto log = std::make_shared<HostLog>(host->options);
  log->Write(LogLine(Level::kInfo, "service host started")
                 .With("version", CERTWIRE_VERSION_TEXT)
                 .With("pid", GetCurrentProcessId()));
  const Outcome outcome = Supervisor(host->options, host->stop.get(), log, &host->status).Run();
  log->Write(LogLine(Level::kInfo, "service host stopped")
                 .With("windowsError", outcome.windows_error)
                 .With("exitCode", outcome.exit_code));
  log->Drain();
  return outcome;
}

Outcome RefuseCommandLine(const Options& options) {
  event_log::EventLog().Report(MSG_COMMAND_LINE_WRONG, {options.error});
  return {ERROR_SERVICE_SPECIFIC_ERROR, kWrongCommandLine};
}

DWORD WINAPI HandleControl(DWORD control, DWORD, void*, void*) {
  switch (control) {
    case SERVICE_CONTROL_STOP:
    case SERVICE_CONTROL_PRESHUTDOWN:
      running_host->status.StopPending();
      SetEvent(running_host->stop.get());
      return NO_ERROR;
    case SERVICE_CONTROL_INTERROGATE:
      return NO_ERROR;
    default:
      return ERROR_CALL_NOT_IMPLEMENTED;
  }
}

void WINAPI ServiceMain(DWORD, wchar_t**) {
  Host* host = running_host;
  host->status.SetHandle(RegisterServiceCtrlHandlerExW(kServiceName, HandleControl, nullptr));
  host->status.StartPending();
  host->status.Stopped(host->options.error.empty() ? Supervise(host)
                                                   : RefuseCommandLine(host->options));
}

BOOL WINAPI HandleConsoleEvent(DWORD) {
  SetEvent(running_host->stop.get());
  return TRUE;
}

}  // namespace

int RunAsService(const Options& options) {
  Host host(options);
  running_host = &host;
  wchar_t name[] = L"Certwire";
  const SERVICE_TABLE_ENTRYW table[] = {{name, ServiceMain}, {nullptr, nullptr}};
  if (StartServiceCtrlDispatcherW(table)) return 0;
  std::fprintf(stderr,
               "certwire-service: Windows error %lu. --service is for the service control manager; "
               "start the service with sc.exe start Certwire, or run --console.\n",
               GetLastError());
  return kNotRun;
}

int RunInConsole(const Options& options) {
  Host host(options);
  running_host = &host;
  SetConsoleCtrlHandler(HandleConsoleEvent, TRUE);
  const Outcome outcome = Supervise(&host);
  SetConsoleCtrlHandler(HandleConsoleEvent, FALSE);
  if (outcome.windows_error == NO_ERROR) return 0;
  return outcome.exit_code != 0 ? static_cast<int>(outcome.exit_code) : kNotRun;
}

}  // namespace service_host
