#if !defined(_WIN32)
#include <linux/futex.h>
#include <pthread.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <climits>

#include "journal/units.h"
#include "platform.h"

namespace journal {
namespace {

constexpr size_t kStackBytes = 512 * kKibibyte;

}  // namespace

void WaitOnWord(std::atomic<uint32_t>* word, uint32_t expected, int64_t timeout_us) {
  timespec timeout = {timeout_us / 1000000, timeout_us % 1000000 * 1000};
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, timeout_us < 0 ? nullptr : &timeout,
          nullptr, 0);
}

void WakeWaiters(std::atomic<uint32_t>* word) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

uint64_t MonotonicNanos() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * kNanosPerSecond + static_cast<uint64_t>(now.tv_nsec);
}

uint64_t UtcTime() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return kUnixEpochUtc + static_cast<uint64_t>(now.tv_sec) * 10000000 +
         static_cast<uint64_t>(now.tv_nsec) / 100;
}

bool RandomBytes(void* data, size_t size) {
  return getrandom(data, size, GRND_NONBLOCK) == static_cast<ssize_t>(size);
}

void* Thread::Run(void* self) {
  auto* thread = static_cast<Thread*>(self);
  thread->main_(thread->context_);
  return nullptr;
}

Status Thread::Start(Main main, void* context) {
  if (handle_ != 0) return Status::Ok();
  main_ = main;
  context_ = context;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  pthread_t thread;
  const int error = pthread_create(&thread, &attributes, Run, this);
  pthread_attr_destroy(&attributes);
  if (error != 0) return Status(Status::Code::kIo, "cannot start a thread", error);
  handle_ = static_cast<uintptr_t>(thread);
  return Status::Ok();
}

void Thread::Join() {
  if (handle_ != 0) pthread_join(static_cast<pthread_t>(handle_), nullptr);
  handle_ = 0;
}

}  // namespace journal
#endif
