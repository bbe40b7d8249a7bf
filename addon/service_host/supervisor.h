#ifndef CERTWIRE_SERVICE_HOST_SUPERVISOR_H_
#define CERTWIRE_SERVICE_HOST_SUPERVISOR_H_

#include <windows.h>

#include <memory>
#include <optional>

#include "../threads/abandonable_thread.h"
#include "backoff.h"
#include "child_process.h"
#include "host_log.h"
#include "options.h"
#include "service_status.h"

namespace service_host {

/// Runs the program, and again after it ended, until a stop is wanted or the program refuses its
/// configuration or command line.
class Supervisor {
 public:
  /// `stop` is an event that is set when a stop is wanted.
  Supervisor(const Options& options, HANDLE stop, std::shared_ptr<HostLog> log,
             ServiceStatus* status);

  /// Runs on the calling thread until the end.
  Outcome Run();

 private:
  /// One life of the program.
  struct Life {
    DWORD start_error = 0;  ///< why it could not be started; 0: it was
    DWORD exit_code = 0;
    uint64_t up_ms = 0;
  };

  Life RunOnce();
  void WaitForEnd(ChildProcess* child, HANDLE started);
  void Stop(ChildProcess* child);
  std::optional<Outcome> FinalOutcome(const Life& life);
  /// False if a stop is wanted instead.
  bool WaitForRestart(const Life& life);
  bool IsStopping() const { return WaitForSingleObject(stop_, 0) == WAIT_OBJECT_0; }
  void LogStart(const ChildProcess& child);
  void LogEnd(const ChildProcess& child, const Life& life);

  const Options& options_;
  HANDLE stop_;
  std::shared_ptr<HostLog> log_;
  ServiceStatus* status_;
  Backoff backoff_;
  bool has_run_ = false;
};

}  // namespace service_host

#endif  // CERTWIRE_SERVICE_HOST_SUPERVISOR_H_
