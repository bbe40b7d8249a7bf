#ifndef CERTWIRE_CORE_SPARE_SEGMENT_H_
#define CERTWIRE_CORE_SPARE_SEGMENT_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "journal/file.h"
#include "platform.h"
#include "segment_store.h"

namespace journal {

/// Fills the first `size` bytes of a file with zeros, without flushing.
Status FillWithZeros(File* file, uint64_t size);

/// The segment one ahead, made and filled with zeros by the flusher's thread in small steps, so
/// that the writer never extends a file: extending costs a synchronous write on NTFS.
class SpareSegment {
 public:
  explicit SpareSegment(SegmentStore* store) : store_(store) {}

  /// Writer: asks for segment `index`. True when the other thread does not know yet.
  bool Request(uint32_t index, uint64_t size);
  /// Writer: takes segment `index`, of which `filled` bytes are zeros; false when it was not made.
  /// Waits for one step of the filling at most.
  bool TakeOver(uint32_t index, std::unique_ptr<SegmentFile>* segment, uint64_t* filled);

  /// Flusher: true when there is something to do at `now` (MonotonicNanos).
  bool HasWork(uint64_t now) const;
  /// Flusher: one step.
  void DoOneStep();

 private:
  static constexpr uint32_t kNothing = UINT32_MAX;

  Status MakeFile(uint32_t index);
  Status FillPart(SegmentFile** flush);
  Status FlushZeros(SegmentFile* segment);

  SegmentStore* store_;
  std::atomic<uint32_t> wanted_{kNothing};
  std::atomic<uint64_t> wanted_size_{0};
  uint64_t retry_at_ = 0;  ///< flusher only
  mutable Lock lock_;
  // Under lock_:
  uint32_t index_ = kNothing;
  std::unique_ptr<SegmentFile> segment_;
  uint64_t filled_ = 0;
  uint64_t size_ = 0;
};

}  // namespace journal

#endif  // CERTWIRE_CORE_SPARE_SEGMENT_H_
