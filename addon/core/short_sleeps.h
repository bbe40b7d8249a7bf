#ifndef CERTWIRE_CORE_SHORT_SLEEPS_H_
#define CERTWIRE_CORE_SHORT_SLEEPS_H_

#include <atomic>
#include <cstdint>

namespace journal {

/// Sleeps of a few milliseconds on a word, that end in time. Windows ends a wait at a tick of its
/// clock, up to 15.6 ms late; so there a sleeper takes one of some timers of high resolution, and
/// is woken by it too. Without one (older Windows, too many sleepers, Linux) it waits on the word
/// alone. The timer's number goes into the word, above `kShift`, for the thread that wakes.
class ShortSleeps {
 public:
  static constexpr int kShift = 8;

  ShortSleeps() = default;
  ~ShortSleeps();
  ShortSleeps(const ShortSleeps&) = delete;
  ShortSleeps& operator=(const ShortSleeps&) = delete;

  /// Makes the timers, as far as there are any; before the first sleep.
  void OpenTimers();
  /// Number of a free timer; 0: none, which is as good a number for the calls below.
  uint32_t TakeTimer();
  void ReturnTimer(uint32_t number);
  /// Blocks while `*word` is `expected`, at most `timeout_us`. May return early for no reason.
  void Sleep(uint32_t number, std::atomic<uint32_t>* word, uint32_t expected, int64_t timeout_us);
  /// Ends the sleep on `word`, whose memory may be gone already. Another sleeper may be woken for
  /// no reason.
  void Wake(uint32_t number, std::atomic<uint32_t>* word);

 private:
  static constexpr uint32_t kTimers = 32;

  struct Timer {
    std::atomic<bool> taken{false};
    void* clock = nullptr;
    void* call = nullptr;  ///< event that ends the sleep
  };

  Timer timers_[kTimers];
};

}  // namespace journal

#endif  // CERTWIRE_CORE_SHORT_SLEEPS_H_
