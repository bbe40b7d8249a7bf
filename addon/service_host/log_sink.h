#ifndef CERTWIRE_SERVICE_HOST_LOG_SINK_H_
#define CERTWIRE_SERVICE_HOST_LOG_SINK_H_

#include <string_view>

namespace service_host {

/// Where whole lines of the log go. Used by one thread at a time.
class LogSink {
 public:
  virtual ~LogSink() = default;
  /// Writes the lines, or drops them if they cannot be written.
  virtual void Write(std::string_view lines) = 0;
};

}  // namespace service_host

#endif  // CERTWIRE_SERVICE_HOST_LOG_SINK_H_
