#include "platform.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace journal {

void RelaxProcessor() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

void Lock::Acquire() {
  uint32_t free = 0;
  if (state_.compare_exchange_strong(free, 1, std::memory_order_acquire)) return;
  while (state_.exchange(2, std::memory_order_acquire) != 0) WaitOnWord(&state_, 2, kForever);
}

void Lock::Release() {
  if (state_.exchange(0, std::memory_order_release) == 2) WakeWaiters(&state_);
}

void Bell::Ring() {
  // Sequentially consistent with Prepare: either the sleeper sees the work, or we see the sleeper.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (sleeping_.load(std::memory_order_seq_cst) == 0) return;
  rings_.fetch_add(1, std::memory_order_seq_cst);
  WakeWaiters(&rings_);
}

uint32_t Bell::Prepare() {
  const uint32_t ticket = rings_.load(std::memory_order_seq_cst);
  sleeping_.store(1, std::memory_order_seq_cst);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return ticket;
}

void Bell::Wait(uint32_t ticket, int64_t timeout_us) {
  WaitOnWord(&rings_, ticket, timeout_us);
  Cancel();
}

}  // namespace journal
