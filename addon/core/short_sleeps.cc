#include "short_sleeps.h"

#include "platform.h"

#if defined(_WIN32)
#include <windows.h>
#endif

namespace journal {

#if defined(_WIN32)
namespace {

constexpr DWORD kHighResolution = 2;  // CREATE_WAITABLE_TIMER_HIGH_RESOLUTION, Windows 10 1803
/// Beyond the time-out, if a timer should fail.
constexpr DWORD kPatienceMs = 1;

}  // namespace

ShortSleeps::~ShortSleeps() {
  for (const Timer& timer : timers_) {
    if (timer.clock != nullptr) CloseHandle(timer.clock);
    if (timer.call != nullptr) CloseHandle(timer.call);
  }
}

void ShortSleeps::OpenTimers() {
  for (Timer& timer : timers_) {
    timer.call = CreateEventW(nullptr, FALSE, FALSE, nullptr);
    if (timer.call == nullptr) return;
    timer.clock =
        CreateWaitableTimerExW(nullptr, nullptr, kHighResolution, TIMER_MODIFY_STATE | SYNCHRONIZE);
    if (timer.clock == nullptr) return;
  }
}

uint32_t ShortSleeps::TakeTimer() {
  for (uint32_t i = 0; i < kTimers && timers_[i].clock != nullptr; ++i) {
    if (!timers_[i].taken.exchange(true, std::memory_order_acquire)) return i + 1;
  }
  return 0;
}

void ShortSleeps::ReturnTimer(uint32_t number) {
  if (number == 0) return;
  Timer& timer = timers_[number - 1];
  CancelWaitableTimer(timer.clock);
  timer.taken.store(false, std::memory_order_release);
}

void ShortSleeps::Sleep(uint32_t number, std::atomic<uint32_t>* word, uint32_t expected,
                        int64_t timeout_us) {
  if (number == 0) return WaitOnWord(word, expected, timeout_us);
  const Timer& timer = timers_[number - 1];
  LARGE_INTEGER due;
  due.QuadPart = timeout_us * -10;
  SetWaitableTimer(timer.clock, &due, 0, nullptr, nullptr, FALSE);
  const HANDLE handles[] = {timer.call, timer.clock};
  // A call that came before this stays in the event.
  WaitForMultipleObjects(2, handles, FALSE, static_cast<DWORD>(timeout_us / 1000) + kPatienceMs);
}

void ShortSleeps::Wake(uint32_t number, std::atomic<uint32_t>* word) {
  if (number == 0) return WakeWaiters(word);
  SetEvent(timers_[number - 1].call);
}
#else
ShortSleeps::~ShortSleeps() = default;
void ShortSleeps::OpenTimers() {}
uint32_t ShortSleeps::TakeTimer() { return 0; }
void ShortSleeps::ReturnTimer(uint32_t) {}
void ShortSleeps::Sleep(uint32_t, std::atomic<uint32_t>* word, uint32_t expected,
                        int64_t timeout_us) {
  WaitOnWord(word, expected, timeout_us);
}
void ShortSleeps::Wake(uint32_t, std::atomic<uint32_t>* word) { WakeWaiters(word); }
#endif

}  // namespace journal
