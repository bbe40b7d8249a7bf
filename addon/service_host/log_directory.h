#ifndef CERTWIRE_SERVICE_HOST_LOG_DIRECTORY_H_
#define CERTWIRE_SERVICE_HOST_LOG_DIRECTORY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace service_host {

/// The directory of the log files, which are numbered: a directory of Windows, or memory in a test.
/// One file is open at a time. Failures have the error number of the operating system.
class LogDirectory {
 public:
  virtual ~LogDirectory() = default;
  /// Numbers of the files that are there, in any order; empty if the directory cannot be read.
  virtual std::vector<uint64_t> List() = 0;
  /// Opens a file to append to it, makes it and the directory if need be; its size in bytes.
  virtual std::optional<uint64_t> Open(uint64_t number) = 0;
  /// Appends to the open file; how many bytes were written, which are fewer after a failure.
  virtual size_t Append(std::string_view bytes) = 0;
  virtual void Close() = 0;
  /// Deletes a file; one that another process holds may stay.
  virtual void Remove(uint64_t number) = 0;
  /// The error number of the last failure.
  virtual uint32_t last_error() const = 0;
  /// Milliseconds of a clock that never goes back.
  virtual uint64_t NowMs() const = 0;
};

}  // namespace service_host

#endif  // CERTWIRE_SERVICE_HOST_LOG_DIRECTORY_H_
