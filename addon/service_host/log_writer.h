#ifndef CERTWIRE_SERVICE_HOST_LOG_WRITER_H_
#define CERTWIRE_SERVICE_HOST_LOG_WRITER_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>

#include "../threads/abandonable_thread.h"
#include "log_sink.h"

namespace service_host {

/// Writes lines into a sink on a thread of its own, so that a disk that hangs holds nobody up: what
/// waits is limited to 4 MiB, and what does not fit is dropped.
class LogWriter {
 public:
  static constexpr size_t kMostWaitingBytes = 4 << 20;

  explicit LogWriter(std::shared_ptr<LogSink> sink);
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  /// Hands over whole lines; never waits for the sink. May be called by several threads.
  void Append(std::string_view lines);

  /// Waits until the sink has everything; false if it has not within `limit`.
  bool Drain(std::chrono::milliseconds limit);

 private:
  struct Queue;
  std::shared_ptr<Queue> queue_;
  threads::AbandonableThread thread_;
};

}  // namespace service_host

#endif  // CERTWIRE_SERVICE_HOST_LOG_WRITER_H_
