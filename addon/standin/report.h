#ifndef CERTWIRE_STANDIN_REPORT_H_
#define CERTWIRE_STANDIN_REPORT_H_

#include <windows.h>

#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace standin {

/// The result file: one JSON object a line, each handed to the operating system by one write before
/// Write returns, so that it outlives a kill of this process at any moment.
class Report {
 public:
  /// Creates the file; throws std::runtime_error when it can't.
  explicit Report(const std::wstring& path);
  ~Report();
  Report(const Report&) = delete;
  Report& operator=(const Report&) = delete;

  void Write(const nlohmann::json& line);

 private:
  std::mutex mutex_;
  HANDLE file_;
};

}  // namespace standin

#endif  // CERTWIRE_STANDIN_REPORT_H_
