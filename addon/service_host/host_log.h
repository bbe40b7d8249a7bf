#ifndef CERTWIRE_SERVICE_HOST_HOST_LOG_H_
#define CERTWIRE_SERVICE_HOST_HOST_LOG_H_

#include <windows.h>

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "event_log/event_log.h"
#include "log_line.h"
#include "log_writer.h"
#include "options.h"

namespace service_host {

/// Where the host and its program log: files, or standard error in a console; and the event log,
/// except in a console.
class HostLog {
 public:
  explicit HostLog(const Options& options);

  /// Writes a line of the host.
  void Write(const LogLine& line) { writer_.Append(line.Text()); }

  /// Writes whole lines of the program. May be called by another thread.
  void WriteLines(std::string_view lines) { writer_.Append(lines); }

  /// Writes an entry into the event log (MSG_* of messages.mc).
  void Report(DWORD id, std::initializer_list<std::wstring> insertions);

  /// Waits, at most 2 s, until everything is written.
  void Drain();

 private:
  LogWriter writer_;
  std::optional<event_log::EventLog> event_log_;
};

}  // namespace service_host

#endif  // CERTWIRE_SERVICE_HOST_HOST_LOG_H_
