#ifndef CERTWIRE_CORE_SEGMENT_ROLLER_H_
#define CERTWIRE_CORE_SEGMENT_ROLLER_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "flusher.h"
#include "journal/file.h"
#include "journal/writer.h"
#include "segment.h"
#include "segment_store.h"
#include "spare_segment.h"

namespace journal {

/// Where the writer's thread stands with its segments.
///
///   kNoEpoch   --lock taken, number chosen-->           kNoSegment
///   kNoSegment --first header written-->                kWriting
///   kWriting   --header of the next segment begun-->    kMoving
///   kMoving    --that header written-->                 kWriting
enum class SegmentState : uint8_t {
  kNoEpoch,    ///< the epoch has no number yet
  kNoSegment,  ///< it has one, but no segment that can be written
  kWriting,    ///< frames go into the current segment
  kMoving,     ///< the next segment's header may be on the disk: a reader may have left the current
               ///< one, so nothing more is written there
};

/// Begins the epoch, makes its segments one after the other, and writes into the current one. Used
/// by the writer's thread only.
class SegmentRoller {
 public:
  /// All must outlive the roller. `id`: of the epoch.
  SegmentRoller(const WriterOptions& options, const EpochId& id, SegmentStore* store,
                SpareSegment* spare, Flusher* flusher)
      : options_(options), id_(id), store_(store), spare_(spare), flusher_(flusher) {}

  SegmentState state() const { return state_; }
  /// One attempt to go to the next segment, or to the first one of the epoch. `frames`: bytes that
  /// must fit into it. `failures`: failed attempts of any kind since something last succeeded.
  Status RollSegment(uint64_t frames, uint32_t failures);
  /// Writes frames at the end of the current segment.
  Status AppendFrames(const uint8_t* data, size_t size);
  /// Asks for the next segment ahead of time, once the current one is filled in part.
  void RequestSpare();
  /// The next segment is small again; flushing the last ones failed.
  void ResetGrowth() { growth_ = 0; }

  /// Place of the next frame.
  FramePlace Place() const { return {id_, index_, offset_}; }
  uint32_t epoch() const { return store_->epoch(); }
  uint32_t index() const { return index_; }
  bool has_previous_epoch() const { return store_->has_previous(); }
  const SegmentHeader& previous_epoch() const { return store_->previous(); }
  /// End of the current segment.
  uint64_t end() const { return size_; }
  /// End of the part that records may use; the rest is for GAP, MARK and SEAL.
  uint64_t record_end() const;

 private:
  Status BeginEpoch();
  Status MakeSegment(uint64_t frames);
  Status CreateSegmentFile();
  Status StartSegment();
  Status WriteSegmentHeader();
  bool has_segment() const { return file_ != nullptr; }
  uint64_t PlannedSize() const;
  void MeasureCapacity();

  const WriterOptions& options_;
  const EpochId& id_;
  SegmentStore* store_;
  SpareSegment* spare_;
  Flusher* flusher_;

  SegmentState state_ = SegmentState::kNoEpoch;
  bool is_named_ = false;  ///< the lock file names the epoch
  File* file_ = nullptr;   ///< owned by the flusher
  uint32_t index_ = 0;
  uint64_t offset_ = 0;
  uint64_t size_ = 0;
  uint32_t growth_ = 0;  ///< doublings of the segment size so far
  /// Of the journal, when a segment was last begun or there was no space for one.
  uint64_t capacity_ = UINT64_MAX;

  std::unique_ptr<SegmentFile> opening_;  ///< made, but its header is not written yet
  uint32_t opening_index_ = 0;
  uint64_t opening_size_ = 0;
  uint64_t opening_filled_ = 0;  ///< bytes of zeros that are there
  uint32_t next_index_ = 0;      ///< of the file that is made next
};

}  // namespace journal

#endif  // CERTWIRE_CORE_SEGMENT_ROLLER_H_
