#ifndef CERTWIRE_COLLECT_CLOCK_H_
#define CERTWIRE_COLLECT_CLOCK_H_

#include <cstdint>

namespace collect {

/// The clocks that collecting needs; a test brings its own.
class Clock {
 public:
  /// UTC in 100 ns since 1601-01-01.
  virtual uint64_t UtcTime() const = 0;
  /// Milliseconds of a clock that never goes back.
  virtual uint64_t MonotonicMs() const = 0;

 protected:
  ~Clock() = default;
};

/// The clocks of the operating system; lives as long as the process.
const Clock& SystemClock();

}  // namespace collect

#endif  // CERTWIRE_COLLECT_CLOCK_H_
