#ifndef CERTWIRE_CORE_FRAME_CURSOR_H_
#define CERTWIRE_CORE_FRAME_CURSOR_H_

#include <cstdint>
#include <string>

#include "batch_builder.h"
#include "cover_watch.h"
#include "epoch_view.h"
#include "journal/reader.h"
#include "quarantine.h"
#include "read_place.h"
#include "scanner.h"
#include "step_result.h"

namespace journal {

/// Goes through the frames of the open segment, and past damage in it.
///
/// At each place there is one of
///   a sound frame      handed out if it is an EVENT or GAP and covered; the place moves on
///   a damaged frame    at the live tail only once a later frame is there: it may still be written
///   no frame           the live tail, a torn end, or damage: searched for the next sound frame
class FrameCursor {
 public:
  /// All pointers must outlive the cursor.
  struct Parts {
    FileSystem* files;
    ReadPlace* place;
    EpochView* view;
    BatchBuilder* batch;
    ReaderStats* stats;
    WriterTimes* times;
  };
  FrameCursor(const Parts& parts, const ReaderOptions& options);

  /// Opens a segment of the present epoch.
  Status Open(const std::string& path, const SegmentHeader& header) {
    return scanner_.Open(parts_.files, path, header);
  }
  void Close() { scanner_.Close(); }
  bool is_open() const { return scanner_.is_open(); }
  /// The reader has entered another epoch.
  void Reset();
  /// Forgets what was read, so that the next step sees what has been written since.
  void Invalidate() { scanner_.Invalidate(); }

  /// Handles what stands at the place. kSegmentEnd: nothing more comes in this segment.
  StepResult StepToNextFrame();
  /// For a reader that starts at the end of an epoch: finds out from the frames before the place
  /// how the epoch ended. `is_shorter`: the segment ends before the place. A failure changes
  /// nothing.
  Status ReadFramesBeforePlace(bool* is_shorter);

 private:
  StepResult AcceptFrame(const FrameHeader& frame, const uint8_t* payload);
  StepResult HandOutFrame(const FrameHeader& frame, const uint8_t* payload);
  /// False when another frame was before this one when it was written.
  bool FitsBehindLast(const FrameHeader& frame) const;
  /// Goes on in the hash chain. A link that does not fit is reported, and nothing is lost by it.
  void NoteLink(const FrameHeader& frame, bool fits);
  StepResult ReportHoleBefore(const FrameHeader& frame, uint64_t last_missing);
  StepResult HandleDamagedFrame(const FrameHeader& frame);
  StepResult HandleMissingFrame();
  StepResult FinishSegment(const CatalogSegment* next);
  Status ReadFrameBeforePlace(uint64_t at, const FrameHeader& frame, ReadPlace* read);
  /// kMoved when a sound frame stands after the damage; `found`: where, `from` or later.
  StepResult SearchLiveTail(uint64_t from, uint64_t* found);
  /// kMoved when the frame may be handed out.
  StepResult CheckCover(uint64_t sequence);
  void MovePast(const FrameHeader& frame);
  void SkipDamage(uint64_t to);
  void KeepDamage(uint64_t from, uint64_t to);
  Status KeepTornTail();
  void AddWriterTimes(const uint8_t* payload, size_t size);
  EntryPlace PlaceAt(uint64_t offset) const {
    return {parts_.place->epoch, parts_.place->segment, offset};
  }

  const Parts parts_;
  const ReadMode mode_;
  SegmentScanner scanner_;
  Quarantine quarantine_;
  CoverWatch cover_;
  uint64_t search_at_ = 0;      ///< when the live tail is searched for damage again
  bool found_nothing_ = false;  ///< the last search, which may also have failed or found a frame
  uint64_t search_pause_ = 0;   ///< ns; doubles with each search that found nothing
};

}  // namespace journal

#endif  // CERTWIRE_CORE_FRAME_CURSOR_H_
