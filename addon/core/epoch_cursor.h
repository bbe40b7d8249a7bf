#ifndef CERTWIRE_CORE_EPOCH_CURSOR_H_
#define CERTWIRE_CORE_EPOCH_CURSOR_H_

#include <cstdint>
#include <optional>

#include "batch_builder.h"
#include "epoch_links.h"
#include "epoch_view.h"
#include "frame_cursor.h"
#include "journal/reader.h"
#include "read_place.h"
#include "step_result.h"

namespace journal {

/// How far the reader is with the epoch that it is in. It leaves an epoch only when a later one
/// shows that it has ended; docs/explanation/journal-reader-and-writer.md draws the states.
///
///   kSearching   --start found-->                                         kReading
///   kSearching   --position at the end of an epoch-->                     kDone
///   kReading     --last frame read-->                                     kEnded
///   kReading     --epoch deleted or replaced-->                           kSearching
///   kReading     --position after the last segment: gap handed out-->     kDone
///   kEnded       --gap handed out, and an epoch is missing-->             kMissingNext
///   kEnded       --gap handed out, and the next epoch follows-->          kDone
///   kEnded       --clean end; if an epoch is missing, gap handed out-->   kDone
///   kMissingNext --gap handed out-->                                      kDone
///   kDone        --next epoch entered-->                                  kReading
enum class EpochState : uint8_t {
  kSearching,    ///< the place to start at is not found yet
  kReading,      ///< frames of this epoch may be left
  kEnded,        ///< no frame is left; how the epoch ended is not reported yet
  kMissingNext,  ///< an unclean end is reported; that an epoch after this one is missing is not
  kDone,         ///< everything about this epoch is reported
};

/// Chooses which epoch and which segment is read, and accounts for how epochs end and for segments
/// that are missing.
class EpochCursor {
 public:
  /// All pointers must outlive the cursor.
  struct Parts {
    FileSystem* files;
    ReadPlace* place;
    EpochView* view;
    FrameCursor* frames;
    BatchBuilder* batch;
    ReaderStats* stats;
  };
  EpochCursor(const Parts& parts, const ReaderOptions& options);

  EpochState state() const { return state_; }

  /// kSearching: goes to the start position, or to the oldest frame without one.
  StepResult FindStart();
  /// kReading, without an open segment: opens the one at the place, or accounts for its absence.
  StepResult OpenSegment();
  /// kReading, after the last frame of a segment: goes to the next one, or to the epoch's end.
  void LeaveSegment();
  /// kEnded and later: accounts for the end, then enters the next epoch once there is one.
  StepResult LeaveEpoch();

 private:
  StepResult FindOldestFrame();
  StepResult FindStartOfUnknownEpoch(const EpochKey& wanted);
  void EnterEpoch(const EpochKey& key, const CatalogEpoch& epoch, bool from_its_start);
  void EnterSegment(uint32_t index);
  void SearchAgain();
  StepResult ReportHoleBefore(const SegmentHeader& header);
  StepResult PassMissingSegment(const CatalogEpoch& epoch);
  StepResult ReportEnd(const EpochKey& next);
  /// True when what is there ends before the start position: an older copy was restored.
  Status EndsBeforeStart(bool* rollback);
  Status IsEpochMissingBefore(const EpochKey& next, bool* missing);
  EntryPlace PlaceAt(uint32_t segment, uint64_t offset) const {
    return {parts_.place->epoch, segment, offset};
  }

  const Parts parts_;
  EpochLinks links_;
  EpochState state_ = EpochState::kSearching;
  std::optional<Position> start_;
  const char* hole_reason_ = "corrupt";  ///< for a hole at the start of a segment
};

}  // namespace journal

#endif  // CERTWIRE_CORE_EPOCH_CURSOR_H_
