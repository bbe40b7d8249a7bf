#include "collect/platform.h"

#include <type_traits>

#ifdef _WIN32
#include <windows.h>
#else
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#endif

namespace collect {
namespace {

#ifdef _WIN32

class OsClock final : public Clock {
 public:
  uint64_t UtcTime() const override {
    FILETIME time;
    GetSystemTimePreciseAsFileTime(&time);
    return (static_cast<uint64_t>(time.dwHighDateTime) << 32) | time.dwLowDateTime;
  }
  uint64_t MonotonicMs() const override { return GetTickCount64(); }
};

#else

constexpr uint64_t kSecondsFrom1601To1970 = 11644473600;

class OsClock final : public Clock {
 public:
  uint64_t UtcTime() const override {
    timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (static_cast<uint64_t>(now.tv_sec) + kSecondsFrom1601To1970) * 10'000'000 +
           static_cast<uint64_t>(now.tv_nsec) / 100;
  }
  uint64_t MonotonicMs() const override {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1000 +
           static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
  }
};

#endif

// Nothing may happen in the process of the CA when it exits.
static_assert(std::is_trivially_destructible_v<OsClock>);
constinit const OsClock kSystemClock;

}  // namespace

const Clock& SystemClock() { return kSystemClock; }

#ifdef _WIN32
uint32_t CurrentProcessId() { return GetCurrentProcessId(); }
uint32_t CurrentThreadId() { return GetCurrentThreadId(); }
#else
uint32_t CurrentProcessId() { return static_cast<uint32_t>(getpid()); }
uint32_t CurrentThreadId() { return static_cast<uint32_t>(syscall(SYS_gettid)); }
#endif

}  // namespace collect
