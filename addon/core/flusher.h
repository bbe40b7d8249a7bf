#ifndef CERTWIRE_CORE_FLUSHER_H_
#define CERTWIRE_CORE_FLUSHER_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "journal/file.h"
#include "journal/histogram.h"
#include "journal/units.h"
#include "platform.h"
#include "spare_segment.h"

namespace journal {

/// Makes durable what the writer has committed, and the segment one ahead. Owns the open segments.
class Flusher {
 public:
  Flusher(uint32_t interval_ms, SpareSegment* spare, Bell* writer_bell, DurationRecorder* times)
      : interval_nanos_(uint64_t{interval_ms} * kNanosPerMillisecond),
        spare_(spare),
        writer_bell_(writer_bell),
        times_(times) {}
  ~Flusher();
  Flusher(const Flusher&) = delete;
  Flusher& operator=(const Flusher&) = delete;

  Status Start();
  /// Ends the thread after the operation that it is in.
  void Stop();

  // For the writer's thread:
  /// Takes over a new segment; the one before is closed after its last flush.
  File* Adopt(std::unique_ptr<SegmentFile> segment);
  /// Everything up to `sequence` is written.
  void NoteCommitted(uint64_t sequence);
  /// Flush as soon as there is something, without pacing.
  void Hurry();
  /// There is a new request for a spare segment.
  void Wake() { bell_.Ring(); }
  bool failed() const { return failed_.load(std::memory_order_acquire); }
  /// After a failed flush, when the writer has moved to a new segment: flushing continues,
  /// with everything up to `sequence` given up. Returns the first sequence that is not durable.
  uint64_t GiveUp(uint64_t sequence);

  uint64_t committed() const { return committed_.load(std::memory_order_acquire); }
  uint64_t durable() const { return durable_.load(std::memory_order_acquire); }
  /// Of the last flush that was tried; `last_what` is a literal, empty when it succeeded.
  int last_error() const { return last_error_.load(std::memory_order_relaxed); }
  const char* last_what() const { return last_what_.load(std::memory_order_relaxed); }
  /// When the running flush began (MonotonicNanos); 0: none runs.
  uint64_t busy_since() const { return busy_since_.load(std::memory_order_relaxed); }

 private:
  static void Main(void* self);
  void Run();
  void FlushOnce();
  bool FlushFiles(SegmentFile* first, const SegmentFile* last);
  bool FlushFile(SegmentFile* segment);
  void CloseBefore(SegmentFile* last);
  bool Dirty() const { return !failed() && committed() > durable(); }
  bool stopping() const { return stop_.load(std::memory_order_acquire); }

  const uint64_t interval_nanos_;
  SpareSegment* spare_;
  Bell* writer_bell_;
  DurationRecorder* times_;
  Thread thread_;
  Bell bell_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> hurry_{false};
  std::atomic<bool> failed_{false};
  std::atomic<uint64_t> committed_{0};
  std::atomic<uint64_t> durable_{0};
  std::atomic<int> last_error_{0};
  std::atomic<const char*> last_what_{""};
  std::atomic<uint64_t> busy_since_{0};
  uint64_t next_flush_ = 0;
  uint32_t failures_ = 0;
  Lock lock_;
  SegmentFile* first_ = nullptr;  ///< under lock_; oldest
  SegmentFile* last_ = nullptr;   ///< under lock_; the writer's
};

}  // namespace journal

#endif  // CERTWIRE_CORE_FLUSHER_H_
