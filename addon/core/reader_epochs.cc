// How a reader finds its place and goes from segment to segment and from epoch to epoch.
#include <algorithm>
#include <cstring>

#include "platform.h"
#include "reader_core.h"

namespace journal {
namespace {

/// How long a file that can't be opened (a scanner holds it) keeps the reader from passing over it.
constexpr uint64_t kUnreadablePatience = 5ull * 1000000000;

/// Where an epoch is done with: no frame can be there.
constexpr uint64_t kFinishedOffset = 0;

}  // namespace

const CatalogEpoch* ReaderCore::Epoch() const {
  const auto found = catalog_.epochs().find(key_);
  return found == catalog_.epochs().end() ? nullptr : &found->second;
}

const std::pair<const EpochKey, CatalogEpoch>* ReaderCore::NextEpoch() {
  const auto next = catalog_.epochs().upper_bound(key_);
  return next == catalog_.epochs().end() || IsWriterHere() ? nullptr : &*next;
}

bool ReaderCore::IsWriterHere() {
  if (!writer_here_.has_value()) writer_here_ = FindWriter(files_, catalog_) == key_;
  return *writer_here_;
}

bool ReaderCore::WaitsForUnreadable(SegmentPlace from, SegmentPlace before) {
  if (!catalog_.HasUnreadable(from, before)) {
    unreadable_since_ = 0;
    return false;
  }
  const uint64_t now = MonotonicNanos();
  if (unreadable_since_ == 0) unreadable_since_ = now;
  return now - unreadable_since_ < kUnreadablePatience;
}

Status ReaderCore::Locate(Progress* progress) {
  const auto& epochs = catalog_.epochs();
  if (epochs.empty()) {
    *progress = Progress::kIdle;
    return Status::Ok();
  }
  const Position& position = options_.position;
  if (!options_.has_position) {
    const auto& [key, oldest] = *epochs.begin();
    if (WaitsForUnreadable({0, 0}, {key.number, oldest.begin()->first})) {
      *progress = Progress::kIdle;
    } else {
      EnterEpoch(key, oldest, false);
    }
    return Status::Ok();
  }
  EpochKey wanted;
  wanted.number = position.epoch_number;
  std::memcpy(wanted.id.bytes, position.epoch_id, kEpochIdSize);
  const auto found = epochs.find(wanted);
  if (found == epochs.end() || position.offset % kFrameAlignment != 0) {
    return LocateUnknown(wanted, progress);
  }
  EnterEpoch(wanted, found->second, false);
  segment_ = position.segment;
  offset_ = position.offset;
  sequence_ = position.sequence;
  resumed_ = true;
  finished_ = end_told_ = missing_told_ = offset_ == kFinishedOffset;
  if (!finished_ && offset_ < kSegmentHeaderSize) offset_ = kSegmentHeaderSize;
  return Status::Ok();
}

Status ReaderCore::LocateUnknown(const EpochKey& wanted, Progress* progress) {
  key_ = wanted;
  if (WaitsForUnreadable({0, 0}, {wanted.number, UINT32_MAX})) {
    *progress = Progress::kIdle;
    return Status::Ok();
  }
  const auto& oldest = *catalog_.epochs().begin();
  if (options_.position.offset == kFinishedOffset) {
    // Who was done with an epoch misses nothing when the next one is there from its start.
    EpochKey previous;
    bool known;
    const Status status = ReadPrevious(files_, catalog_, oldest.first, &previous, &known);
    if (status.ok() && known && previous == wanted) EnterEpoch(oldest.first, oldest.second, true);
    if (!status.ok() || located_) return status;
  }
  GapInfo gap;
  gap.reason = oldest.first.number > wanted.number ? "retention" : "rollback";
  gap.first_sequence = options_.position.sequence + 1;
  const SegmentHeader& header = oldest.second.begin()->second.header;
  EmitGap(gap, header.time, options_.position.segment, options_.position.offset);
  stats_.position_lost = true;
  EnterEpoch(oldest.first, oldest.second, false);
  return Status::Ok();
}

void ReaderCore::EnterEpoch(const EpochKey& key, const CatalogEpoch& epoch, bool from_its_start) {
  const auto& [index, first] = *epoch.begin();
  located_ = true;
  key_ = key;
  writer_here_.reset();
  segment_ = index;
  offset_ = kSegmentHeaderSize;
  // What retention has deleted is no loss for a reader that starts here.
  sequence_ = from_its_start ? 0 : first.header.first_sequence - 1;
  hole_reason_ = "missing-segment";
  time_ = 0;
  sealed_ = resumed_ = finished_ = end_told_ = missing_told_ = false;
  watched_ = released_ = search_at_ = search_pause_ = 0;
  probe_.Reset();
  scanner_.Close();
}

Status ReaderCore::OpenSegment(Progress* progress) {
  const CatalogEpoch* epoch = Epoch();
  if (epoch == nullptr) {
    // Deleted or replaced while the reader was in it: like a start at a position that is not there.
    options_.has_position = true;
    options_.position = {key_.number, {}, segment_, offset_, sequence_};
    std::memcpy(options_.position.epoch_id, key_.id.bytes, kEpochIdSize);
    located_ = false;
    return Status::Ok();
  }
  const auto found = epoch->find(segment_);
  if (found == epoch->end()) return SegmentGone(*epoch, progress);
  const SegmentHeader& header = found->second.header;
  if (header.min_reader_version > kFormatVersion) {
    return Status(Status::Code::kInvalid, "the journal needs a newer version of this reader");
  }
  if (!resumed_ && header.first_sequence > sequence_ + 1) {
    const bool waits = WaitsForUnreadable({key_.number, 0}, {key_.number, segment_});
    if (waits || !HasRoom(kMaxGapPayload)) {
      *progress = waits ? Progress::kIdle : Progress::kFull;
      return Status::Ok();
    }
    GapInfo gap;
    gap.reason = hole_reason_;
    gap.first_sequence = sequence_ + 1;
    gap.last_sequence = header.first_sequence - 1;
    EmitGap(gap, header.time, segment_, offset_);
    sequence_ = gap.last_sequence;
  }
  return scanner_.Open(files_, catalog_.PathOf(found->second), header);
}

Status ReaderCore::SegmentGone(const CatalogEpoch& epoch, Progress* progress) {
  const auto next = epoch.upper_bound(segment_);
  const auto* next_epoch = NextEpoch();
  const bool live_tail = next == epoch.end() && next_epoch == nullptr;
  const uint32_t before = next == epoch.end() ? UINT32_MAX : next->first;
  if (live_tail || WaitsForUnreadable({key_.number, segment_}, {key_.number, before})) {
    *progress = Progress::kIdle;
    return Status::Ok();
  }
  if (next != epoch.end()) {
    const bool oldest = next == epoch.begin() && catalog_.epochs().begin()->first == key_;
    LeaveSegment(next->first);
    hole_reason_ = oldest ? "retention" : "missing-segment";
    return Status::Ok();
  }
  if (!HasRoom(kMaxGapPayload)) {
    *progress = Progress::kFull;
    return Status::Ok();
  }
  // The position lies behind everything that is there: an older copy of the directory was restored.
  GapInfo gap;
  gap.reason = "rollback";
  gap.first_sequence = sequence_ + 1;
  EmitGap(gap, next_epoch->second.begin()->second.header.time, segment_ + 1, kFinishedOffset);
  finished_ = end_told_ = missing_told_ = true;
  return Status::Ok();
}

void ReaderCore::LeaveSegment(uint32_t next) {
  hole_reason_ = next == segment_ + 1 ? "corrupt" : "missing-segment";
  segment_ = next;
  offset_ = kSegmentHeaderSize;
  resumed_ = false;
  scanner_.Close();
}

Status ReaderCore::EndEpoch(Progress* progress) {
  const auto* next = NextEpoch();
  if (next == nullptr) {
    *progress = Progress::kIdle;
    return Status::Ok();
  }
  if (!end_told_ || !missing_told_) return AccountForEnd(next->first, progress);
  EnterEpoch(next->first, next->second, true);
  return Status::Ok();
}

Status ReaderCore::AccountForEnd(const EpochKey& next, Progress* progress) {
  if (!HasRoom(kMaxGapPayload)) {
    *progress = Progress::kFull;
    return Status::Ok();
  }
  bool misses = false;
  bool rollback = false;
  Status status = NextMissesEpoch(next, &misses);
  if (status.ok() && !end_told_) status = CompareWithTail(&rollback);
  if (!status.ok()) return status;
  GapInfo gap;
  gap.first_sequence = sequence_ + 1;
  if (!end_told_ && (rollback || !sealed_)) {
    gap.reason = rollback ? "rollback" : "unclean-stop";
    gap.first_time = time_;
    // With another gap to follow, the place behind this one is still inside the epoch.
    EmitGap(gap, time_, misses ? segment_ : segment_ + 1, misses ? offset_ : kFinishedOffset);
    ++sequence_;
  } else if (misses && !missing_told_) {
    gap.reason = "missing-segment";
    EmitGap(gap, time_, segment_ + 1, kFinishedOffset);
    missing_told_ = true;
  }
  end_told_ = true;
  missing_told_ = missing_told_ || !misses;
  return Status::Ok();
}

Status ReaderCore::CompareWithTail(bool* rollback) {
  // What was read says how the epoch ends; without anything read, the frames before the start
  // position.
  if (time_ != 0) return Status::Ok();
  uint64_t at = kSegmentHeaderSize;
  uint64_t tail = at;
  sequence_ = scanner_.header().first_sequence - 1;
  while (at != kNoFrame && at < offset_) {
    FrameHeader frame;
    bool valid;
    Status status = scanner_.ReadHeader(at, &frame, &valid);
    if (status.ok() && !valid) {
      status = scanner_.Find(at + kFrameAlignment, offset_, &at);
    } else if (status.ok()) {
      const uint8_t* payload;
      status = scanner_.ReadPayload(at, frame, &payload, &valid);
      at = tail = at + FrameSize(frame.length);
      if (!valid && !IsExpendable(frame)) continue;
      sequence_ = std::max(sequence_, frame.sequence);
      if (frame.type == kMarkFrame) continue;
      time_ = frame.time;
      sealed_ = frame.type == kSealFrame;
    }
    if (!status.ok()) return status;
  }
  *rollback = tail < offset_;
  if (*rollback) sequence_ = options_.position.sequence;
  return Status::Ok();
}

Status ReaderCore::NextMissesEpoch(const EpochKey& next, bool* misses) {
  EpochKey previous;
  bool known;
  const Status status = ReadPrevious(files_, catalog_, next, &previous, &known);
  *misses = known && previous.number >= key_.number && previous.id != key_.id;
  return status;
}

}  // namespace journal
