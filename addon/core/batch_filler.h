#ifndef CERTWIRE_CORE_BATCH_FILLER_H_
#define CERTWIRE_CORE_BATCH_FILLER_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "flusher.h"
#include "frame_batch.h"
#include "gap.h"
#include "journal/writer.h"
#include "segment_roller.h"
#include "writer_shared.h"

namespace journal {

/// Decides what the next write holds: EPOCH first, then GAPs that are due, records, and last a MARK
/// or the SEAL. Numbers the frames. Used by the writer's thread only.
class BatchFiller {
 public:
  /// All must outlive the filler.
  BatchFiller(const WriterOptions& options, WriterShared* shared, const SegmentRoller* segments,
              const Flusher* flusher)
      : options_(options), shared_(shared), segments_(segments), flusher_(flusher) {}
  ~BatchFiller();
  BatchFiller(const BatchFiller&) = delete;
  BatchFiller& operator=(const BatchFiller&) = delete;

  /// False when memory is short; may be called again.
  bool Allocate() { return batch_.Allocate(); }
  /// Takes what was appended since the last call.
  void TakeNewRecords();
  /// Fills the batch, which must be empty, for the current place.
  void FillBatch();
  /// Prepares the batch, if there is one, for another segment.
  void MoveBatchTo(const FramePlace& place) { batch_.MoveTo(place); }
  /// The records of the batch, oldest first; the batch is empty afterwards.
  Buffer* TakeBatchRecords() { return batch_.TakeRecords(); }
  /// Adds a GAP to the next batch for frames that may not have reached the disk.
  void ReportUnflushed(uint64_t first, uint64_t last);
  /// The disk works again: the next GAP is written without a long pause.
  void ResetGapPause() { gap_pause_ = 0; }

  bool empty() const { return batch_.empty(); }
  const uint8_t* data() const { return batch_.data(); }
  size_t size() const { return batch_.size(); }
  /// Bytes of the frame that does not fit into this segment; 0: all do.
  uint64_t overflow() const { return overflow_; }
  /// Of the last frame that took a number.
  uint64_t sequence() const { return sequence_; }
  /// MonotonicNanos at which a GAP may be written.
  uint64_t next_gap_at() const { return next_gap_at_; }
  bool IsMarkDue() const;
  bool IsSealDue() const;
  /// Everything is sealed and durable, but the seal is not published.
  bool IsSealUnpublished() const;

 private:
  void AddEpochFrame();
  void AddGaps();
  void AddGap(const GapInfo& gap);
  void AddRecords();
  void AddMark();
  void AddSeal();
  bool IsGapDue() const;
  /// A numbered header for a frame with this payload, with its place in the chain.
  FrameHeader NextHeader(uint16_t type, uint16_t schema, uint64_t time, const uint8_t* payload,
                         size_t size);
  /// False, and the bytes noted as overflow, when the frame does not fit into the segment.
  bool FitsSegment(uint64_t bytes);
  void AddOwnFrame(uint16_t type, uint16_t schema, const uint8_t* payload, size_t size);
  uint64_t batch_end() const { return segments_->Place().offset + batch_.size(); }

  const WriterOptions& options_;
  WriterShared* shared_;
  const SegmentRoller* segments_;
  const Flusher* flusher_;
  FrameBatch batch_;
  Buffer* backlog_ = nullptr;  ///< taken, not yet in a batch; oldest first
  Buffer* backlog_last_ = nullptr;
  uint64_t overflow_ = 0;
  uint64_t sequence_ = 0;
  ChainValue chain_;        ///< of the last EVENT or GAP frame
  uint16_t last_type_ = 0;  ///< of the last frame that took a number
  uint64_t marked_ = 0;     ///< durable sequence of the last MARK
  std::optional<GapInfo> flush_gap_;
  uint64_t next_gap_at_ = 0;
  uint64_t gap_pause_ = 0;  ///< ns
};

}  // namespace journal

#endif  // CERTWIRE_CORE_BATCH_FILLER_H_
