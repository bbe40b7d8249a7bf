#ifndef CERTWIRE_CORE_PLATFORM_H_
#define CERTWIRE_CORE_PLATFORM_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "journal/clock.h"
#include "journal/status.h"

// Waiting, threads and random bits of the operating system, without global state and without
// thread_local; the clocks are in journal/clock.h.
namespace journal {

inline constexpr int64_t kForever = -1;

/// Blocks while `*word` is `expected`, at most `timeout_us`. May return early for no reason.
void WaitOnWord(std::atomic<uint32_t>* word, uint32_t expected, int64_t timeout_us);
/// Wakes the threads that wait on `word`. The memory may be gone already: only its address is used.
void WakeWaiters(std::atomic<uint32_t>* word);

/// Fills with random bits of the operating system; false when it has none.
bool RandomBytes(void* data, size_t size);
/// Hints to the processor that this is a wait loop.
void RelaxProcessor();

/// A thread that is started and, in tests and tools only, joined.
class Thread {
 public:
  Thread() = default;
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  using Main = void (*)(void* context);
  /// `context` must live until Join returns, or until the process ends. Of a thread that was
  /// started already, nothing more is started.
  Status Start(Main main, void* context);
  void Join();

 private:
  Main main_ = nullptr;
  void* context_ = nullptr;
  uintptr_t handle_ = 0;
#if defined(_WIN32)
  static unsigned long __stdcall Run(void* self);
#else
  static void* Run(void* self);
#endif
};

/// A lock of the background threads; the appending threads never take one.
class Lock {
 public:
  void Acquire();
  void Release();

 private:
  std::atomic<uint32_t> state_{0};  ///< 0 free, 1 held, 2 held and waited for
};

class LockGuard {
 public:
  explicit LockGuard(Lock* lock) : lock_(lock) { lock_->Acquire(); }
  ~LockGuard() { lock_->Release(); }
  LockGuard(const LockGuard&) = delete;
  LockGuard& operator=(const LockGuard&) = delete;

 private:
  Lock* lock_;
};

/// Rings once or many times, is heard once; makes no system call while no thread sleeps.
class Bell {
 public:
  void Ring();
  /// Marks this thread as going to sleep. Look for work after this call, then Wait or Cancel.
  uint32_t Prepare();
  void Cancel() { sleeping_.store(0, std::memory_order_seq_cst); }
  void Wait(uint32_t ticket, int64_t timeout_us);

 private:
  std::atomic<uint32_t> rings_{0};
  std::atomic<uint32_t> sleeping_{0};
};

}  // namespace journal

#endif  // CERTWIRE_CORE_PLATFORM_H_
