#include "frame_cursor.h"

#include <algorithm>
#include <vector>

#include "journal/cbor.h"
#include "journal/units.h"
#include "platform.h"

namespace journal {
namespace {

/// Pauses between searches for damage at the live tail, where the next frame is usually just not
/// written yet.
constexpr uint64_t kFirstSearchPause = 250 * kNanosPerMillisecond;
constexpr uint64_t kLongestSearchPause = 4000 * kNanosPerMillisecond;
/// How far the search goes when the tail holds zeros: a lost page or two.
constexpr uint64_t kZeroSearchBytes = 1 * kMebibyte;

bool TakesNumber(const FrameHeader& frame) { return frame.type != kMarkFrame; }

bool IsHandedOut(const FrameHeader& frame) {
  return frame.type == kEventFrame || frame.type == kGapFrame;
}

/// True when nothing is lost without the content of the frame.
bool IsExpendable(const FrameHeader& frame) {
  return frame.type == kEpochFrame || frame.type == kMarkFrame || frame.type == kSealFrame ||
         (frame.type & kIgnorableType) != 0;
}

}  // namespace

FrameCursor::FrameCursor(const Parts& parts, const ReaderOptions& options)
    : parts_(parts),
      mode_(options.mode),
      quarantine_(parts.files, options.quarantine_directory),
      cover_(parts.files, options.unmarked_after_ms, parts.stats) {}

void FrameCursor::Reset() {
  search_at_ = search_pause_ = 0;
  cover_.Reset();
  scanner_.Close();
}

StepResult FrameCursor::StepToNextFrame() {
  FrameHeader frame;
  bool valid;
  Status status = scanner_.ReadHeader(parts_.place->offset, &frame, &valid);
  if (!status.ok()) return status;
  if (!valid) return HandleMissingFrame();
  const uint8_t* payload;
  status = scanner_.ReadPayload(parts_.place->offset, frame, &payload, &valid);
  if (!status.ok()) return status;
  const bool known = IsExpendable(frame) || IsHandedOut(frame);
  return valid && known ? AcceptFrame(frame, payload) : HandleDamagedFrame(frame);
}

StepResult FrameCursor::AcceptFrame(const FrameHeader& frame, const uint8_t* payload) {
  ReadPlace& place = *parts_.place;
  const uint64_t last_missing = TakesNumber(frame) ? frame.sequence - 1 : frame.sequence;
  if (place.last != LastFrame::kStartPosition && last_missing > place.sequence) {
    return ReportHoleBefore(frame, last_missing);
  }
  const bool repeated =
      TakesNumber(frame) ? frame.sequence <= place.sequence : frame.sequence < place.sequence;
  if (!repeated && IsHandedOut(frame)) {
    const StepResult result = HandOutFrame(frame, payload);
    if (!result.moved()) return result;
  } else if (!repeated) {
    NoteLink(frame, FitsBehindLast(frame) && frame.record_hash == frame.previous_hash);
  }
  if (frame.type == kMarkFrame && payload != nullptr) AddWriterTimes(payload, frame.length);
  if (TakesNumber(frame) && !repeated) {
    place.time = frame.time;
    place.last = frame.type == kSealFrame ? LastFrame::kSealed : LastFrame::kUnsealed;
  }
  MovePast(frame);
  return StepOutcome::kMoved;
}

void FrameCursor::MovePast(const FrameHeader& frame) {
  ReadPlace& place = *parts_.place;
  place.sequence = std::max(place.sequence, frame.sequence);
  place.offset += FrameSize(frame.length);
  place.LeaveStartPosition();
  search_at_ = search_pause_ = 0;
}

StepResult FrameCursor::HandOutFrame(const FrameHeader& frame, const uint8_t* payload) {
  const StepResult covered = CheckCover(frame.sequence);
  if (!covered.moved()) return covered;
  if (!parts_.batch->HasSpace(frame.length)) return StepOutcome::kFull;
  const bool fits = FitsBehindLast(frame) && frame.record_hash == ChainLink(frame, payload);
  parts_.batch->AddFrame(frame, payload, !fits,
                         PlaceAt(parts_.place->offset + FrameSize(frame.length)));
  NoteLink(frame, fits);
  return StepOutcome::kMoved;
}

bool FrameCursor::FitsBehindLast(const FrameHeader& frame) const {
  const std::optional<ChainValue>& chain = parts_.place->chain;
  return !chain.has_value() || *chain == frame.previous_hash;
}

void FrameCursor::NoteLink(const FrameHeader& frame, bool fits) {
  parts_.place->chain = frame.record_hash;
  if (fits) return;
  ReaderStats& stats = *parts_.stats;
  if (stats.broken_links++ > 0) return;
  stats.broken_epoch = frame.epoch;
  stats.broken_sequence = frame.sequence;
}

StepResult FrameCursor::ReportHoleBefore(const FrameHeader& frame, uint64_t last_missing) {
  const StepResult covered = CheckCover(frame.sequence);
  if (!covered.moved()) return covered;
  if (!parts_.batch->HasSpace(kMaxGapPayload)) return StepOutcome::kFull;
  ReadPlace& place = *parts_.place;
  GapInfo gap;
  gap.reason = "corrupt";
  gap.first_sequence = place.sequence + 1;
  gap.last_sequence = last_missing;
  parts_.batch->AddGap(gap, frame.time, PlaceAt(place.offset));
  place.sequence = last_missing;
  place.chain.reset();
  place.last = LastFrame::kUnsealed;
  return StepOutcome::kMoved;
}

StepResult FrameCursor::HandleDamagedFrame(const FrameHeader& frame) {
  const CatalogEpoch* epoch = parts_.view->Current();
  if (epoch == nullptr) {
    scanner_.Close();
    return StepOutcome::kMoved;
  }
  ReadPlace& place = *parts_.place;
  const uint64_t after = place.offset + FrameSize(frame.length);
  if (parts_.view->Next() == nullptr && epoch->upper_bound(place.segment) == epoch->end()) {
    uint64_t found;
    const StepResult result = SearchLiveTail(after, &found);
    if (!result.moved()) return result;
  }
  // It may have been read while it was being written: read it again before calling it damage.
  scanner_.Invalidate();
  const uint8_t* payload;
  bool valid;
  const Status status = scanner_.ReadPayload(place.offset, frame, &payload, &valid);
  if (!status.ok()) return status;
  if (IsExpendable(frame)) {
    const uint64_t from = place.offset;
    const StepResult result = AcceptFrame(frame, nullptr);
    // Not while it stays at the place, or it would be counted again with the next step.
    if (!valid && place.offset != from) KeepDamage(from, after);
    return result;
  }
  if (valid && IsHandedOut(frame)) return AcceptFrame(frame, payload);
  // Its number stays open and is found missing at the next frame, or at the end of the epoch.
  SkipDamage(after);
  place.last = LastFrame::kUnsealed;
  return StepOutcome::kMoved;
}

StepResult FrameCursor::HandleMissingFrame() {
  // The listing is older than this read, so a segment that has a successor shows all the frames it
  // will ever have.
  scanner_.Invalidate();
  ReadPlace& place = *parts_.place;
  FrameHeader frame;
  bool valid;
  const Status status = scanner_.ReadHeader(place.offset, &frame, &valid);
  if (!status.ok() || valid) return status;
  const CatalogEpoch* epoch = parts_.view->Current();
  if (epoch == nullptr) {
    scanner_.Close();
    return StepOutcome::kMoved;
  }
  const auto next = epoch->upper_bound(place.segment);
  const CatalogSegment* next_segment = next == epoch->end() ? nullptr : &next->second;
  if (next_segment != nullptr || parts_.view->Next() != nullptr) return FinishSegment(next_segment);
  uint64_t found;
  const StepResult result = SearchLiveTail(place.offset, &found);
  if (result.moved()) SkipDamage(found);
  return result;
}

StepResult FrameCursor::FinishSegment(const CatalogSegment* next) {
  const ReadPlace& place = *parts_.place;
  const bool complete = next != nullptr && next->header.first_sequence <= place.sequence + 1;
  if (!complete) {
    uint64_t found;
    const Status status = scanner_.FindFrame(place.offset, scanner_.end(), &found);
    if (!status.ok()) return status;
    if (found != kNoFrame) {
      SkipDamage(found);
      return StepOutcome::kMoved;
    }
    const SegmentPlace before = next != nullptr
                                    ? SegmentPlace{place.epoch.number, next->header.index}
                                    : SegmentPlace{parts_.view->Next()->first.number, 0};
    if (parts_.view->WaitsForUnreadable({place.epoch.number, place.segment + 1}, before)) {
      return StepOutcome::kWaiting;
    }
  }
  const Status status = KeepTornTail();
  return status.ok() ? StepResult(StepOutcome::kSegmentEnd) : StepResult(status);
}

StepResult FrameCursor::SearchLiveTail(uint64_t from, uint64_t* found) {
  *found = kNoFrame;
  const uint64_t offset = parts_.place->offset;
  const uint64_t now = MonotonicNanos();
  if (now < search_at_) return found_nothing_ ? parts_.view->EndOrWait() : StepOutcome::kWaiting;
  search_pause_ = std::clamp(search_pause_ * 2, kFirstSearchPause, kLongestSearchPause);
  search_at_ = now + search_pause_;
  found_nothing_ = false;
  std::vector<uint8_t> head;
  Status status = scanner_.CopyBytes(offset, kFrameHeaderSize, &head);
  if (!status.ok()) return status;
  const bool zeros = std::all_of(head.begin(), head.end(), [](uint8_t byte) { return byte == 0; });
  status = scanner_.FindFrame(from, zeros ? from + kZeroSearchBytes : scanner_.end(), found);
  if (!status.ok()) return status;
  if (*found == kNoFrame) {
    found_nothing_ = true;
    return parts_.view->EndOrWait();
  }
  // A later frame is there, so everything before it has been written: only now can it be damage.
  scanner_.Invalidate();
  FrameHeader frame;
  bool valid;
  status = scanner_.ReadHeader(offset, &frame, &valid);
  if (valid && from == offset) *found = offset;
  return status;
}

Status FrameCursor::ReadFramesBeforePlace(bool* is_shorter) {
  // A copy: what was read before a failure must not decide how the epoch ended.
  ReadPlace read = *parts_.place;
  uint64_t at = kSegmentHeaderSize;
  uint64_t tail = at;
  read.sequence = scanner_.header().first_sequence - 1;
  while (at != kNoFrame && at < read.offset) {
    FrameHeader frame;
    bool valid;
    Status status = scanner_.ReadHeader(at, &frame, &valid);
    if (status.ok() && !valid) {
      status = scanner_.FindFrame(at + kFrameAlignment, read.offset, &at);
    } else if (status.ok()) {
      status = ReadFrameBeforePlace(at, frame, &read);
      at = tail = at + FrameSize(frame.length);
    }
    if (!status.ok()) return status;
  }
  *is_shorter = tail < read.offset;
  *parts_.place = read;
  return Status::Ok();
}

Status FrameCursor::ReadFrameBeforePlace(uint64_t at, const FrameHeader& frame, ReadPlace* read) {
  const uint8_t* payload;
  bool valid;
  const Status status = scanner_.ReadPayload(at, frame, &payload, &valid);
  if (!status.ok() || (!valid && !IsExpendable(frame))) return status;
  read->sequence = std::max(read->sequence, frame.sequence);
  if (!TakesNumber(frame)) return status;
  read->time = frame.time;
  read->last = frame.type == kSealFrame ? LastFrame::kSealed : LastFrame::kUnsealed;
  return status;
}

StepResult FrameCursor::CheckCover(uint64_t sequence) {
  if (mode_ == ReadMode::kCommitted || parts_.view->Next() != nullptr) return StepOutcome::kMoved;
  const CatalogEpoch* epoch = parts_.view->Current();
  if (epoch == nullptr) {
    // Nothing says that it is durable. The files may be held for a moment, or deleted: opening the
    // segment again shows which.
    scanner_.Close();
    return StepOutcome::kWaiting;
  }
  bool covered = false;
  const Status status =
      cover_.IsCovered(parts_.view->catalog(), *epoch, *parts_.place, sequence, &covered);
  if (!status.ok()) return status;
  // A file that is held may show that it is durable. Waiting for that would let it through in time.
  return covered ? StepOutcome::kMoved : StepOutcome::kEnd;
}

void FrameCursor::SkipDamage(uint64_t to) {
  ReadPlace& place = *parts_.place;
  if (to == place.offset) return;
  KeepDamage(place.offset, to);
  place.offset = to;
  place.LeaveStartPosition();
  search_at_ = search_pause_ = 0;
}

void FrameCursor::KeepDamage(uint64_t from, uint64_t to) {
  quarantine_.Keep(&scanner_, from, to);
  ++parts_.stats->quarantined_ranges;
  ++parts_.stats->damaged_ranges;
}

Status FrameCursor::KeepTornTail() {
  ReadPlace& place = *parts_.place;
  uint64_t tail;
  const Status status = scanner_.FindZeroTail(place.offset, &tail);
  if (!status.ok() || tail == place.offset) return status;
  quarantine_.Keep(&scanner_, place.offset, tail);
  ++parts_.stats->quarantined_ranges;
  place.last = LastFrame::kUnsealed;
  return status;
}

void FrameCursor::AddWriterTimes(const uint8_t* payload, size_t size) {
  const struct {
    const char* key;
    DurationCounts* counts;
  } parts[] = {{"append", &parts_.times->append},
               {"write", &parts_.times->write},
               {"flush", &parts_.times->flush}};
  for (const auto& part : parts) {
    CborCursor cursor(payload, size);
    if (FindCborKey(&cursor, part.key)) part.counts->AddDelta(&cursor);
  }
}

}  // namespace journal
