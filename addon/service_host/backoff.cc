#include "backoff.h"

#include <algorithm>

namespace service_host {

uint64_t Backoff::NextMs(uint64_t up_ms) {
  if (up_ms >= kHealthyMs) next_ms_ = kFirstMs;
  const uint64_t wait_ms = next_ms_;
  next_ms_ = std::min(next_ms_ * 2, kLongestMs);
  return wait_ms;
}

}  // namespace service_host
