#ifndef CERTWIRE_SERVICE_HOST_LOG_LINE_H_
#define CERTWIRE_SERVICE_HOST_LOG_LINE_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace service_host {

/// Levels as in the log of the program.
enum class Level { kInfo = 30, kWarn = 40, kError = 50 };

/// A JSON line in the form of the program's own log, with the name `certwire-service`.
class LogLine {
 public:
  LogLine(Level level, std::string_view message);

  /// Adds a member.
  LogLine& With(std::string_view name, std::string_view utf8);
  LogLine& With(std::string_view name, uint64_t number);

  /// The line, with its line feed.
  std::string Text(
      std::chrono::system_clock::time_point time = std::chrono::system_clock::now()) const;

 private:
  Level level_;
  std::string message_;
  std::string members_;
};

}  // namespace service_host

#endif  // CERTWIRE_SERVICE_HOST_LOG_LINE_H_
