#ifndef CERTWIRE_SERVICE_HOST_SERVICE_MAIN_H_
#define CERTWIRE_SERVICE_HOST_SERVICE_MAIN_H_

#include "options.h"

namespace service_host {

/// Runs as the Windows service until it is stopped; the exit code of the process.
int RunAsService(const Options& options);

/// Runs in a console until Ctrl-C; the exit code of the process: 0 after a stop, else the
/// program's.
int RunInConsole(const Options& options);

}  // namespace service_host

#endif  // CERTWIRE_SERVICE_HOST_SERVICE_MAIN_H_
