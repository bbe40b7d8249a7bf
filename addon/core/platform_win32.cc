#if defined(_WIN32)
// clang-format off
#include <windows.h>
#include <ntsecapi.h>
// clang-format on

#include "journal/units.h"
#include "platform.h"

namespace journal {
namespace {

constexpr size_t kStackBytes = 512 * kKibibyte;

}  // namespace

void WaitOnWord(std::atomic<uint32_t>* word, uint32_t expected, int64_t timeout_us) {
  const DWORD timeout = timeout_us < 0 ? INFINITE : static_cast<DWORD>((timeout_us + 999) / 1000);
  WaitOnAddress(word, &expected, sizeof(expected), timeout);
}

void WakeWaiters(std::atomic<uint32_t>* word) { WakeByAddressAll(word); }

uint64_t MonotonicNanos() {
  LARGE_INTEGER count;
  LARGE_INTEGER frequency;
  QueryPerformanceCounter(&count);
  QueryPerformanceFrequency(&frequency);
  const auto ticks = static_cast<uint64_t>(count.QuadPart);
  const auto per_second = static_cast<uint64_t>(frequency.QuadPart);
  return ticks / per_second * kNanosPerSecond + ticks % per_second * kNanosPerSecond / per_second;
}

uint64_t UtcTime() {
  FILETIME time;
  GetSystemTimePreciseAsFileTime(&time);
  return static_cast<uint64_t>(time.dwHighDateTime) << 32 | time.dwLowDateTime;
}

bool RandomBytes(void* data, size_t size) {
  return RtlGenRandom(data, static_cast<ULONG>(size)) != FALSE;
}

unsigned long __stdcall Thread::Run(void* self) {
  auto* thread = static_cast<Thread*>(self);
  thread->main_(thread->context_);
  return 0;
}

Status Thread::Start(Main main, void* context) {
  if (handle_ != 0) return Status::Ok();
  main_ = main;
  context_ = context;
  const HANDLE handle =
      CreateThread(nullptr, kStackBytes, Run, this, STACK_SIZE_PARAM_IS_A_RESERVATION, nullptr);
  if (handle == nullptr) {
    return Status(Status::Code::kIo, "cannot start a thread", static_cast<int>(GetLastError()));
  }
  handle_ = reinterpret_cast<uintptr_t>(handle);
  return Status::Ok();
}

void Thread::Join() {
  if (handle_ == 0) return;
  const auto handle = reinterpret_cast<HANDLE>(handle_);
  WaitForSingleObject(handle, INFINITE);
  CloseHandle(handle);
  handle_ = 0;
}

}  // namespace journal
#endif
