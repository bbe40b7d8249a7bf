#ifndef CERTWIRE_CORE_WRITER_SHARED_H_
#define CERTWIRE_CORE_WRITER_SHARED_H_

#include <atomic>
#include <cstdint>

#include "buffer_pool.h"
#include "gap.h"
#include "journal/histogram.h"
#include "platform.h"
#include "segment.h"
#include "short_sleeps.h"

namespace journal {

/// What the appending threads and the writer's thread share.
struct WriterShared {
  explicit WriterShared(uint64_t max_bytes) : pool(max_bytes) {}

  /// Says that everything taken so far is durable and sealed, and wakes whoever waits for that.
  void PublishSeal() {
    sealed.store(1, std::memory_order_release);
    WakeWaiters(&sealed);
  }
  /// Call before anything is taken that the seal does not cover.
  void Unseal() { sealed.store(0, std::memory_order_release); }
  bool has_trouble() const { return trouble.load() != Trouble::kNone; }

  EpochId id;
  BufferPool pool;
  HandOverList list;
  DropCounter drops;
  ShortSleeps sleeps;               ///< of appending threads that wait for their commit
  Bell bell;                        ///< wakes the writer's thread
  std::atomic<bool> stuck{false};   ///< the writer's thread lags: no append waits for it
  std::atomic<uint32_t> sealed{0};  ///< 1: everything taken so far is durable and sealed
  std::atomic<bool> seal_wanted{false};
  std::atomic<uint64_t> committed{0};  ///< records
  std::atomic<Trouble> trouble{Trouble::kNone};
  std::atomic<uint64_t> busy_since{0};  ///< MonotonicNanos of the running step; 0: none runs
  std::atomic<int> last_error{0};
  std::atomic<const char*> last_what{""};
  std::atomic<uint32_t> epoch{0};
  std::atomic<uint32_t> segment{0};
  DurationRecorder append_times;
  DurationRecorder write_times;
  DurationRecorder flush_times;
};

}  // namespace journal

#endif  // CERTWIRE_CORE_WRITER_SHARED_H_
