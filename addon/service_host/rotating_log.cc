#include "rotating_log.h"

#include <algorithm>
#include <utility>

#include "log_line.h"

namespace service_host {

RotatingLog::RotatingLog(LogDirectory* directory, LogLimits limits,
                         std::function<void(uint32_t)> report_failure)
    : directory_(directory), limits_(limits), report_failure_(std::move(report_failure)) {}

void RotatingLog::Write(std::string_view lines) {
  while (!lines.empty()) {
    if (!IsReady()) break;
    const std::string_view piece = FirstPiece(lines);
    if (!Append(piece)) break;
    lines.remove_prefix(piece.size());
  }
  dropped_bytes_ += lines.size();
}

bool RotatingLog::IsReady() {
  if (!is_open_ && !Reopen()) return false;
  return size_ < limits_.file_bytes || OpenNext();
}

bool RotatingLog::Reopen() {
  if (has_failed_ && directory_->NowMs() - failed_ms_ < kRetryMs) return false;
  if (number_ == 0) {
    const std::vector<uint64_t> numbers = directory_->List();
    number_ = numbers.empty() ? 1 : *std::max_element(numbers.begin(), numbers.end());
  }
  return Open(number_) && AppendNotice();
}

bool RotatingLog::Open(uint64_t number) {
  const std::optional<uint64_t> size = directory_->Open(number);
  if (!size) return Fail();
  is_open_ = true;
  number_ = number;
  size_ = *size;
  return true;
}

bool RotatingLog::OpenNext() {
  directory_->Close();
  is_open_ = false;
  is_torn_ = false;
  if (!Open(number_ + 1)) return false;
  RemoveOld();
  return true;
}

bool RotatingLog::AppendNotice() {
  if (dropped_bytes_ == 0) return true;
  LogLine notice(Level::kWarn, "the log could not be written");
  notice.With("droppedBytes", dropped_bytes_).With("windowsError", directory_->last_error());
  if (!Append(notice.Text())) return false;
  dropped_bytes_ = 0;
  return true;
}

bool RotatingLog::Append(std::string_view bytes) {
  if (is_torn_ && directory_->Append("\n") == 0) return Fail();
  is_torn_ = false;
  const size_t written = directory_->Append(bytes);
  size_ += written;
  if (written == bytes.size()) {
    has_failed_ = false;
    return true;
  }
  is_torn_ = written > 0;
  return Fail();
}

bool RotatingLog::Fail() {
  if (is_open_) directory_->Close();
  is_open_ = false;
  failed_ms_ = directory_->NowMs();
  if (!std::exchange(has_failed_, true)) report_failure_(directory_->last_error());
  return false;
}

void RotatingLog::RemoveOld() {
  for (const uint64_t number : directory_->List()) {
    if (number + limits_.files <= number_) directory_->Remove(number);
  }
}

std::string_view RotatingLog::FirstPiece(std::string_view lines) const {
  const uint64_t space = limits_.file_bytes - size_;  // above 0, as the file is ready
  if (lines.size() <= space) return lines;
  const size_t end = lines.find('\n', space - 1);
  return end == lines.npos ? lines : lines.substr(0, end + 1);
}

}  // namespace service_host
