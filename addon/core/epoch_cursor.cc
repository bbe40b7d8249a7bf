#include "epoch_cursor.h"

#include <cstring>

namespace journal {

EpochCursor::EpochCursor(const Parts& parts, const ReaderOptions& options)
    : parts_(parts), links_(parts.files) {
  if (options.has_position) start_ = options.position;
}

StepResult EpochCursor::FindStart() {
  const auto& epochs = parts_.view->catalog().epochs();
  if (epochs.empty()) return parts_.view->EndOrWait({0, 0});
  if (!start_.has_value()) return FindOldestFrame();
  EpochKey wanted;
  wanted.number = start_->epoch_number;
  std::memcpy(wanted.id.bytes, start_->epoch_id, kEpochIdSize);
  const auto found = epochs.find(wanted);
  if (found == epochs.end() || start_->offset % kFrameAlignment != 0) {
    return FindStartOfUnknownEpoch(wanted);
  }
  EnterEpoch(wanted, found->second, false);
  ReadPlace& place = *parts_.place;
  place.segment = start_->segment;
  place.offset = start_->offset;
  place.sequence = start_->sequence;
  place.chain.reset();
  place.last = LastFrame::kStartPosition;
  if (place.offset == kEpochDoneOffset) {
    state_ = EpochState::kDone;
  } else if (place.offset < kSegmentHeaderSize) {
    place.offset = kSegmentHeaderSize;
  }
  return StepOutcome::kMoved;
}

StepResult EpochCursor::FindOldestFrame() {
  const auto& [key, oldest] = *parts_.view->catalog().epochs().begin();
  if (parts_.view->WaitsForUnreadable({0, 0}, {key.number, oldest.begin()->first})) {
    return StepOutcome::kWaiting;
  }
  EnterEpoch(key, oldest, false);
  return StepOutcome::kMoved;
}

StepResult EpochCursor::FindStartOfUnknownEpoch(const EpochKey& wanted) {
  parts_.place->epoch = wanted;
  if (parts_.view->WaitsForUnreadable({0, 0}, {wanted.number, UINT32_MAX})) {
    return StepOutcome::kWaiting;
  }
  const Catalog& catalog = parts_.view->catalog();
  const auto& [key, oldest] = *catalog.epochs().begin();
  if (start_->offset == kEpochDoneOffset) {
    // A reader that was done with its epoch misses nothing when the next one is there from its
    // start.
    EpochKey previous;
    bool known;
    const Status status = links_.ReadPrevious(catalog, key, &previous, &known);
    if (!status.ok()) return status;
    if (known && previous == wanted) {
      EnterEpoch(key, oldest, true);
      return StepOutcome::kMoved;
    }
  }
  GapInfo gap;
  gap.reason = key.number > wanted.number ? "retention" : "rollback";
  gap.first_sequence = start_->sequence + 1;
  const SegmentHeader& header = oldest.begin()->second.header;
  parts_.batch->AddGap(gap, header.time, PlaceAt(start_->segment, start_->offset));
  parts_.stats->position_lost = true;
  EnterEpoch(key, oldest, false);
  return StepOutcome::kMoved;
}

void EpochCursor::EnterEpoch(const EpochKey& key, const CatalogEpoch& epoch, bool from_its_start) {
  const auto& [index, first] = *epoch.begin();
  ReadPlace& place = *parts_.place;
  place = ReadPlace();
  place.epoch = key;
  place.segment = index;
  place.offset = kSegmentHeaderSize;
  // What retention has deleted is not a loss for a reader that starts here.
  place.sequence = from_its_start ? 0 : first.header.first_sequence - 1;
  if (place.sequence == 0) place.chain = ChainStart(key.id, key.number);
  hole_reason_ = "missing-segment";
  state_ = EpochState::kReading;
  parts_.view->ForgetWriter();
  parts_.frames->Reset();
}

StepResult EpochCursor::OpenSegment() {
  const CatalogEpoch* epoch = parts_.view->Current();
  if (epoch == nullptr) {
    SearchAgain();
    return StepOutcome::kMoved;
  }
  const ReadPlace& place = *parts_.place;
  const auto found = epoch->find(place.segment);
  if (found == epoch->end()) return PassMissingSegment(*epoch);
  const SegmentHeader& header = found->second.header;
  if (header.min_reader_version > kFormatVersion) {
    return Status(Status::Code::kInvalid, "the journal needs a newer version of this reader");
  }
  if (place.last != LastFrame::kStartPosition && header.first_sequence > place.sequence + 1) {
    const StepResult reported = ReportHoleBefore(header);
    if (!reported.moved()) return reported;
  }
  return parts_.frames->Open(parts_.view->catalog().PathOf(found->second), header);
}

void EpochCursor::SearchAgain() {
  // The epoch was deleted or replaced while the reader was in it: as at a start at a position that
  // is not there.
  const ReadPlace& place = *parts_.place;
  start_ = Position{place.epoch.number, {}, place.segment, place.offset, place.sequence};
  std::memcpy(start_->epoch_id, place.epoch.id.bytes, kEpochIdSize);
  state_ = EpochState::kSearching;
}

StepResult EpochCursor::ReportHoleBefore(const SegmentHeader& header) {
  ReadPlace& place = *parts_.place;
  const uint32_t number = place.epoch.number;
  if (parts_.view->WaitsForUnreadable({number, 0}, {number, place.segment})) {
    return StepOutcome::kWaiting;
  }
  if (!parts_.batch->HasSpace(kMaxGapPayload)) return StepOutcome::kFull;
  GapInfo gap;
  gap.reason = hole_reason_;
  gap.first_sequence = place.sequence + 1;
  gap.last_sequence = header.first_sequence - 1;
  parts_.batch->AddGap(gap, header.time, PlaceAt(place.segment, place.offset));
  place.sequence = gap.last_sequence;
  place.chain.reset();
  return StepOutcome::kMoved;
}

StepResult EpochCursor::PassMissingSegment(const CatalogEpoch& epoch) {
  ReadPlace& place = *parts_.place;
  const auto next = epoch.upper_bound(place.segment);
  const auto* next_epoch = parts_.view->Next();
  const bool live_tail = next == epoch.end() && next_epoch == nullptr;
  const uint32_t before = next == epoch.end() ? UINT32_MAX : next->first;
  const uint32_t number = place.epoch.number;
  if (live_tail) return parts_.view->EndOrWait();
  if (parts_.view->WaitsForUnreadable({number, place.segment}, {number, before})) {
    return StepOutcome::kWaiting;
  }
  if (next != epoch.end()) {
    const bool oldest =
        next == epoch.begin() && parts_.view->catalog().epochs().begin()->first == place.epoch;
    EnterSegment(next->first);
    hole_reason_ = oldest ? "retention" : "missing-segment";
    return StepOutcome::kMoved;
  }
  if (!parts_.batch->HasSpace(kMaxGapPayload)) return StepOutcome::kFull;
  // The position lies after everything that is there: an older copy of the directory was restored.
  GapInfo gap;
  gap.reason = "rollback";
  gap.first_sequence = place.sequence + 1;
  parts_.batch->AddGap(gap, next_epoch->second.begin()->second.header.time,
                       PlaceAt(place.segment + 1, kEpochDoneOffset));
  state_ = EpochState::kDone;
  return StepOutcome::kMoved;
}

void EpochCursor::EnterSegment(uint32_t index) {
  ReadPlace& place = *parts_.place;
  hole_reason_ = index == place.segment + 1 ? "corrupt" : "missing-segment";
  place.segment = index;
  place.offset = kSegmentHeaderSize;
  place.LeaveStartPosition();
  parts_.frames->Close();
}

void EpochCursor::LeaveSegment() {
  const CatalogEpoch& epoch = *parts_.view->Current();
  const auto next = epoch.upper_bound(parts_.place->segment);
  if (next != epoch.end()) return EnterSegment(next->first);
  state_ = EpochState::kEnded;
  const CatalogSegment& last = epoch.rbegin()->second;
  const bool is_cut = last.header.filled && last.file_size < last.header.size;
  if (is_cut) parts_.place->last = LastFrame::kUnsealed;
}

StepResult EpochCursor::LeaveEpoch() {
  const auto* next = parts_.view->Next();
  if (next == nullptr) return parts_.view->EndOrWait();
  if (state_ != EpochState::kDone) return ReportEnd(next->first);
  EnterEpoch(next->first, next->second, true);
  return StepOutcome::kMoved;
}

StepResult EpochCursor::ReportEnd(const EpochKey& next) {
  if (!parts_.batch->HasSpace(kMaxGapPayload)) return StepOutcome::kFull;
  const bool at_end = state_ == EpochState::kEnded;
  bool missing = false;
  bool rollback = false;
  Status status = IsEpochMissingBefore(next, &missing);
  if (status.ok() && at_end) status = EndsBeforeStart(&rollback);
  if (!status.ok()) return status;
  ReadPlace& place = *parts_.place;
  GapInfo gap;
  gap.first_sequence = place.sequence + 1;
  if (at_end && (rollback || place.last != LastFrame::kSealed)) {
    gap.reason = rollback ? "rollback" : "unclean-stop";
    gap.first_time = place.time;
    // With another gap to follow, the place after this one is still inside the epoch.
    parts_.batch->AddGap(gap, place.time,
                         missing ? PlaceAt(place.segment, place.offset)
                                 : PlaceAt(place.segment + 1, kEpochDoneOffset));
    ++place.sequence;
    state_ = missing ? EpochState::kMissingNext : EpochState::kDone;
    return StepOutcome::kMoved;
  }
  if (missing) {
    gap.reason = "missing-segment";
    parts_.batch->AddGap(gap, place.time, PlaceAt(place.segment + 1, kEpochDoneOffset));
  }
  state_ = EpochState::kDone;
  return StepOutcome::kMoved;
}

Status EpochCursor::EndsBeforeStart(bool* rollback) {
  // What was read says how the epoch ends. If nothing was read, the frames before the start
  // position say it.
  if (parts_.place->time != 0) return Status::Ok();
  const Status status = parts_.frames->ReadFramesBeforePlace(rollback);
  if (status.ok() && *rollback) parts_.place->sequence = start_.value_or(Position()).sequence;
  return status;
}

Status EpochCursor::IsEpochMissingBefore(const EpochKey& next, bool* missing) {
  EpochKey previous;
  bool known;
  const Status status = links_.ReadPrevious(parts_.view->catalog(), next, &previous, &known);
  const EpochKey& epoch = parts_.place->epoch;
  *missing = known && previous.number >= epoch.number && previous.id != epoch.id;
  return status;
}

}  // namespace journal
