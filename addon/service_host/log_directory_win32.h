#ifndef CERTWIRE_SERVICE_HOST_LOG_DIRECTORY_WIN32_H_
#define CERTWIRE_SERVICE_HOST_LOG_DIRECTORY_WIN32_H_

#include <string>

#include "handle.h"
#include "log_directory.h"

namespace service_host {

/// Files `service-000001.log` and so on. Other processes may read, append to and delete them.
class WindowsLogDirectory final : public LogDirectory {
 public:
  /// `path` is a full path without a backslash at the end.
  explicit WindowsLogDirectory(std::wstring path);

  std::vector<uint64_t> List() override;
  std::optional<uint64_t> Open(uint64_t number) override;
  size_t Append(std::string_view bytes) override;
  void Close() override;
  void Remove(uint64_t number) override;
  uint32_t last_error() const override { return error_; }
  uint64_t NowMs() const override;

 private:
  std::wstring PathOf(uint64_t number) const;

  std::wstring path_;
  Handle file_;
  DWORD error_ = 0;
};

}  // namespace service_host

#endif  // CERTWIRE_SERVICE_HOST_LOG_DIRECTORY_WIN32_H_
