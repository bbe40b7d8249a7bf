#include "host_log.h"

#include "log_directory_win32.h"
#include "messages.h"
#include "rotating_log.h"

namespace service_host {
namespace {

using namespace std::chrono_literals;

constexpr uint64_t kMegabyte = 1 << 20;

class ConsoleSink final : public LogSink {
 public:
  void Write(std::string_view lines) override {
    DWORD written = 0;
    WriteFile(GetStdHandle(STD_ERROR_HANDLE), lines.data(), static_cast<DWORD>(lines.size()),
              &written, nullptr);
  }
};

/// The files, with all that their thread needs: it may outlive the host's other parts.
class FileSink final : public LogSink {
 public:
  explicit FileSink(const Options& options)
      : directory_(options.log_directory),
        log_(&directory_, {options.log_megabytes * kMegabyte, options.log_files},
             [this, path = options.log_directory](uint32_t error) {
               event_log_.Report(MSG_LOG_FAILED, {path, std::to_wstring(error)});
             }) {}

  void Write(std::string_view lines) override { log_.Write(lines); }

 private:
  event_log::EventLog event_log_;
  WindowsLogDirectory directory_;
  RotatingLog log_;
};

std::shared_ptr<LogSink> MakeSink(const Options& options) {
  if (options.mode == Mode::kConsole) return std::make_shared<ConsoleSink>();
  return std::make_shared<FileSink>(options);
}

}  // namespace

HostLog::HostLog(const Options& options) : writer_(MakeSink(options)) {
  if (options.mode == Mode::kService) event_log_.emplace();
}

void HostLog::Report(DWORD id, std::initializer_list<std::wstring> insertions) {
  if (event_log_) event_log_->Report(id, insertions);
}

void HostLog::Drain() { writer_.Drain(2s); }

}  // namespace service_host
