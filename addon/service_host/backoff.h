#ifndef CERTWIRE_SERVICE_HOST_BACKOFF_H_
#define CERTWIRE_SERVICE_HOST_BACKOFF_H_

#include <cstdint>

namespace service_host {

/// How long to wait before a program that ended is started again: 1 s, then twice as long each time
/// up to 60 s. A program that ran for 60 s is taken for healthy, and the next wait is 1 s again.
class Backoff {
 public:
  static constexpr uint64_t kFirstMs = 1'000;
  static constexpr uint64_t kLongestMs = 60'000;
  static constexpr uint64_t kHealthyMs = 60'000;

  /// The wait in milliseconds after a run of `up_ms`.
  uint64_t NextMs(uint64_t up_ms);

 private:
  uint64_t next_ms_ = kFirstMs;
};

}  // namespace service_host

#endif  // CERTWIRE_SERVICE_HOST_BACKOFF_H_
