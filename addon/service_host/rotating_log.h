#ifndef CERTWIRE_SERVICE_HOST_ROTATING_LOG_H_
#define CERTWIRE_SERVICE_HOST_ROTATING_LOG_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "log_directory.h"
#include "log_sink.h"

namespace service_host {

/// Limits of the log files.
struct LogLimits {
  uint64_t file_bytes;  ///< a file ends with the line that reaches this size
  uint32_t files;       ///< how many files are kept, the open one included
};

/// Writes numbered files and deletes the oldest. It never renames one: an editor that holds a file
/// would be in the way. A log that cannot be written stops nothing: its lines are dropped, counted,
/// and tried again every 30 s.
class RotatingLog final : public LogSink {
 public:
  static constexpr uint64_t kRetryMs = 30'000;

  /// `report_failure` gets the error number when writing begins to fail.
  RotatingLog(LogDirectory* directory, LogLimits limits,
              std::function<void(uint32_t)> report_failure);

  void Write(std::string_view lines) override;

 private:
  /// Sees to it that a file with space is open; false if that fails or failed a short while ago.
  bool IsReady();
  bool Reopen();
  bool Open(uint64_t number);
  bool OpenNext();
  bool Append(std::string_view bytes);
  bool AppendNotice();
  bool Fail();
  void RemoveOld();
  std::string_view FirstPiece(std::string_view lines) const;

  LogDirectory* directory_;
  LogLimits limits_;
  std::function<void(uint32_t)> report_failure_;
  bool is_open_ = false;
  bool is_torn_ = false;  ///< the last write was cut off in a line
  bool has_failed_ = false;
  uint64_t failed_ms_ = 0;
  uint64_t number_ = 0;  ///< of the newest file; 0: none is known yet
  uint64_t size_ = 0;
  uint64_t dropped_bytes_ = 0;  ///< a line that was torn counts as a whole
};

}  // namespace service_host

#endif  // CERTWIRE_SERVICE_HOST_ROTATING_LOG_H_
