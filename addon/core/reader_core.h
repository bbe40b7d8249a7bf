#ifndef CERTWIRE_CORE_READER_CORE_H_
#define CERTWIRE_CORE_READER_CORE_H_

#include <optional>
#include <string>

#include "catalog.h"
#include "durable_probe.h"
#include "epoch_links.h"
#include "gap.h"
#include "journal/reader.h"
#include "quarantine.h"
#include "scanner.h"

namespace journal {

inline constexpr uint64_t kMillisecond = 1000000;  ///< in ns

/// True when the content of the frame is not needed to go on without loss.
inline bool IsExpendable(const FrameHeader& frame) {
  return frame.type == kEpochFrame || frame.type == kMarkFrame || frame.type == kSealFrame ||
         (frame.type & kIgnorableType) != 0;
}

/// What one step of a reader came to.
enum class Progress : uint8_t {
  kMoved,  ///< went on; there may be more
  kIdle,   ///< nothing that can be handed out now
  kFull,   ///< the batch has no room for what comes next
};

/// The reader: a cursor that moves through epochs, segments and frames, one step at a time.
class ReaderCore final : public Reader {
 public:
  explicit ReaderCore(ReaderOptions options);
  Status Read(Batch* batch) override;
  ReaderStats Stats() const override { return stats_; }
  WriterTimes Times() const override { return times_; }

 private:
  Status List();
  Status Step(Progress* progress);
  Status Move(Progress* progress);

  // reader_epochs.cc: from epoch to epoch and segment to segment
  Status Locate(Progress* progress);
  Status LocateUnknown(const EpochKey& wanted, Progress* progress);
  void EnterEpoch(const EpochKey& key, const CatalogEpoch& epoch, bool from_its_start);
  Status OpenSegment(Progress* progress);
  Status SegmentGone(const CatalogEpoch& epoch, Progress* progress);
  void LeaveSegment(uint32_t next);
  Status EndEpoch(Progress* progress);
  Status AccountForEnd(const EpochKey& next, Progress* progress);
  Status CompareWithTail(bool* rollback);
  Status NextMissesEpoch(const EpochKey& next, bool* misses);
  bool WaitsForUnreadable(SegmentPlace from, SegmentPlace before);
  const CatalogEpoch* Epoch() const;
  /// The epoch behind the present one, which therefore has ended; null while it is live.
  const std::pair<const EpochKey, CatalogEpoch>* NextEpoch();
  bool IsWriterHere();

  // reader_frames.cc: frames of one segment
  Status ReadFrame(Progress* progress);
  Status TakeFrame(const FrameHeader& frame, const uint8_t* payload, Progress* progress);
  Status HandOut(const FrameHeader& frame, const uint8_t* payload, Progress* progress);
  Status FillHole(const FrameHeader& frame, uint64_t last, Progress* progress);
  Status BadPayload(const FrameHeader& frame, Progress* progress);
  Status NoFrame(Progress* progress);
  Status EndOfSegment(const CatalogSegment* next, Progress* progress);
  Status LiveTail(uint64_t from, uint64_t* found, Progress* progress);
  void KeepDamage(uint64_t to);
  void StepOver(uint64_t to);
  Status KeepTornTail();
  Status IsCovered(uint64_t sequence, bool* covered);
  bool IsOld(uint64_t sequence);
  void TakeTimes(const uint8_t* payload, size_t size);

  // reader.cc: what goes into the batch
  bool HasRoom(size_t payload) const;
  void Emit(const FrameHeader& frame, const uint8_t* payload, uint32_t segment, uint64_t offset);
  /// A gap of the reader's own, with the identity of the present epoch and gap.first_sequence.
  void EmitGap(const GapInfo& gap, uint64_t time, uint32_t segment, uint64_t offset);
  Entry& AddEntry(const uint8_t* payload, size_t size);

  ReaderOptions options_;
  FileSystem* files_;
  Catalog catalog_;
  Quarantine quarantine_;
  DurableProbe probe_;
  SegmentScanner scanner_;
  ReaderStats stats_;
  WriterTimes times_;
  Batch* batch_ = nullptr;

  uint64_t listed_at_ = 0;  ///< when the directory was listed; 0: list it at the next read
  bool located_ = false;
  EpochKey key_;
  std::optional<bool> writer_here_;  ///< IsWriterHere, once found out for listing and epoch
  uint32_t segment_ = 0;
  uint64_t offset_ = 0;
  uint64_t sequence_ = 0;      ///< of the last frame that took a number
  uint64_t time_ = 0;          ///< of that frame; 0: none was read since the start position
  bool sealed_ = false;        ///< that frame was a SEAL
  bool resumed_ = false;       ///< nothing was read since the start position
  bool finished_ = false;      ///< no frame of this epoch is left
  bool end_told_ = false;      ///< how the epoch ended is accounted for
  bool missing_told_ = false;  ///< an epoch that is missing behind this one is accounted for
  const char* hole_reason_ = "corrupt";  ///< for a hole at the start of a segment

  uint64_t watched_ = 0;  ///< sequence that waits for a MARK since watched_since_; 0: none
  uint64_t watched_since_ = 0;
  uint64_t released_ = 0;   ///< may be handed out without a MARK up to here
  uint64_t search_at_ = 0;  ///< when the live tail is searched for damage again
  uint64_t search_pause_ = 0;
  uint64_t unreadable_since_ = 0;
  uint64_t absent_since_ = 0;  ///< since when a listed file can't be opened
};

}  // namespace journal

#endif  // CERTWIRE_CORE_READER_CORE_H_
