// How a reader goes through the frames of one segment, and past damage.
#include <algorithm>

#include "journal/cbor.h"
#include "platform.h"
#include "reader_core.h"

namespace journal {
namespace {

/// Pauses between searches for damage at the live tail, where the next frame is just not there yet.
constexpr uint64_t kFirstSearchPause = 250 * kMillisecond;
constexpr uint64_t kLongestSearchPause = 4000 * kMillisecond;
/// How far the search goes when the tail holds zeros: a lost page or two.
constexpr uint64_t kZeroSearch = 1u << 20;

bool TakesNumber(const FrameHeader& frame) { return frame.type != kMarkFrame; }

bool IsHandedOut(const FrameHeader& frame) {
  return frame.type == kEventFrame || frame.type == kGapFrame;
}

}  // namespace

Status ReaderCore::ReadFrame(Progress* progress) {
  FrameHeader frame;
  bool valid;
  Status status = scanner_.ReadHeader(offset_, &frame, &valid);
  if (!status.ok()) return status;
  if (!valid) return NoFrame(progress);
  const uint8_t* payload;
  status = scanner_.ReadPayload(offset_, frame, &payload, &valid);
  if (!status.ok()) return status;
  const bool known = IsExpendable(frame) || IsHandedOut(frame);
  if (!valid || !known) return BadPayload(frame, progress);
  return TakeFrame(frame, payload, progress);
}

Status ReaderCore::TakeFrame(const FrameHeader& frame, const uint8_t* payload, Progress* progress) {
  const uint64_t last_missing = TakesNumber(frame) ? frame.sequence - 1 : frame.sequence;
  // At the start position the place is right, whatever the number says.
  if (!resumed_ && last_missing > sequence_) return FillHole(frame, last_missing, progress);
  const bool repeated = TakesNumber(frame) && frame.sequence <= sequence_;
  if (!repeated && IsHandedOut(frame)) {
    const Status status = HandOut(frame, payload, progress);
    if (!status.ok() || *progress != Progress::kMoved) return status;
  }
  if (frame.type == kMarkFrame && payload != nullptr) TakeTimes(payload, frame.length);
  if (TakesNumber(frame) && !repeated) {
    time_ = frame.time;
    sealed_ = frame.type == kSealFrame;
  }
  sequence_ = std::max(sequence_, frame.sequence);
  offset_ += FrameSize(frame.length);
  resumed_ = false;
  search_at_ = search_pause_ = 0;
  return Status::Ok();
}

Status ReaderCore::HandOut(const FrameHeader& frame, const uint8_t* payload, Progress* progress) {
  bool covered;
  const Status status = IsCovered(frame.sequence, &covered);
  if (!status.ok() || !covered) {
    *progress = Progress::kIdle;
    return status;
  }
  if (!HasRoom(frame.length)) {
    *progress = Progress::kFull;
    return status;
  }
  Emit(frame, payload, segment_, offset_ + FrameSize(frame.length));
  return status;
}

Status ReaderCore::FillHole(const FrameHeader& frame, uint64_t last, Progress* progress) {
  bool covered;
  const Status status = IsCovered(frame.sequence, &covered);
  if (!status.ok() || !covered) {
    *progress = Progress::kIdle;
    return status;
  }
  if (!HasRoom(kMaxGapPayload)) {
    *progress = Progress::kFull;
    return status;
  }
  GapInfo gap;
  gap.reason = "corrupt";
  gap.first_sequence = sequence_ + 1;
  gap.last_sequence = last;
  EmitGap(gap, frame.time, segment_, offset_);
  sequence_ = last;
  sealed_ = false;
  return status;
}

Status ReaderCore::BadPayload(const FrameHeader& frame, Progress* progress) {
  const CatalogEpoch* epoch = Epoch();
  if (epoch == nullptr) {
    scanner_.Close();
    return Status::Ok();
  }
  const uint64_t behind = offset_ + FrameSize(frame.length);
  if (NextEpoch() == nullptr && epoch->upper_bound(segment_) == epoch->end()) {
    uint64_t found;
    const Status status = LiveTail(behind, &found, progress);
    if (!status.ok() || *progress != Progress::kMoved) return status;
  }
  // It may have been read while it was written: look again before calling it damage.
  scanner_.Invalidate();
  const uint8_t* payload;
  bool valid;
  const Status status = scanner_.ReadPayload(offset_, frame, &payload, &valid);
  if (!status.ok()) return status;
  if (IsExpendable(frame)) {
    if (!valid) KeepDamage(behind);
    return TakeFrame(frame, nullptr, progress);
  }
  if (valid && IsHandedOut(frame)) return TakeFrame(frame, payload, progress);
  // Its number stays open and is found missing at the next frame, or at the end of the epoch.
  StepOver(behind);
  sealed_ = false;
  return status;
}

Status ReaderCore::NoFrame(Progress* progress) {
  // The listing is older than this look, so a segment that has a successor shows all it will ever
  // have.
  scanner_.Invalidate();
  FrameHeader frame;
  bool valid;
  Status status = scanner_.ReadHeader(offset_, &frame, &valid);
  if (!status.ok() || valid) return status;
  const CatalogEpoch* epoch = Epoch();
  if (epoch == nullptr) {
    scanner_.Close();
    return status;
  }
  const auto next = epoch->upper_bound(segment_);
  const CatalogSegment* next_segment = next == epoch->end() ? nullptr : &next->second;
  if (next_segment != nullptr || NextEpoch() != nullptr) {
    return EndOfSegment(next_segment, progress);
  }
  uint64_t found;
  status = LiveTail(offset_, &found, progress);
  if (status.ok() && *progress == Progress::kMoved) StepOver(found);
  return status;
}

Status ReaderCore::EndOfSegment(const CatalogSegment* next, Progress* progress) {
  const bool complete = next != nullptr && next->header.first_sequence <= sequence_ + 1;
  if (!complete) {
    uint64_t found;
    const Status status = scanner_.Find(offset_, scanner_.end(), &found);
    if (!status.ok()) return status;
    if (found != kNoFrame) {
      StepOver(found);
      return status;
    }
    const SegmentPlace before = next != nullptr ? SegmentPlace{key_.number, next->header.index}
                                                : SegmentPlace{NextEpoch()->first.number, 0};
    if (WaitsForUnreadable({key_.number, segment_ + 1}, before)) {
      *progress = Progress::kIdle;
      return status;
    }
  }
  const Status status = KeepTornTail();
  if (!status.ok()) return status;
  if (next != nullptr) {
    LeaveSegment(next->header.index);
  } else {
    finished_ = true;
    const CatalogSegment& last = Epoch()->rbegin()->second;
    if (last.header.filled && last.file_size < last.header.size) sealed_ = false;
  }
  return status;
}

Status ReaderCore::LiveTail(uint64_t from, uint64_t* found, Progress* progress) {
  *found = kNoFrame;
  *progress = Progress::kIdle;
  const uint64_t now = MonotonicNanos();
  if (now < search_at_) return Status::Ok();
  search_pause_ = std::clamp(search_pause_ * 2, kFirstSearchPause, kLongestSearchPause);
  search_at_ = now + search_pause_;
  std::vector<uint8_t> head;
  Status status = scanner_.Copy(offset_, kFrameHeaderSize, &head);
  if (!status.ok()) return status;
  const bool zeros = std::all_of(head.begin(), head.end(), [](uint8_t byte) { return byte == 0; });
  status = scanner_.Find(from, zeros ? from + kZeroSearch : scanner_.end(), found);
  if (!status.ok() || *found == kNoFrame) return status;
  // A later frame is there, so everything before it has been written: only now can it be damage.
  scanner_.Invalidate();
  *progress = Progress::kMoved;
  FrameHeader frame;
  bool valid;
  status = scanner_.ReadHeader(offset_, &frame, &valid);
  if (valid && from == offset_) *found = offset_;
  return status;
}

void ReaderCore::KeepDamage(uint64_t to) {
  quarantine_.Keep(&scanner_, offset_, to);
  ++stats_.quarantined_ranges;
  ++stats_.damaged_ranges;
}

void ReaderCore::StepOver(uint64_t to) {
  if (to == offset_) return;
  KeepDamage(to);
  offset_ = to;
  resumed_ = false;
  search_at_ = search_pause_ = 0;
}

Status ReaderCore::KeepTornTail() {
  uint64_t tail;
  const Status status = scanner_.FindZeroTail(offset_, &tail);
  if (!status.ok() || tail == offset_) return status;
  quarantine_.Keep(&scanner_, offset_, tail);
  ++stats_.quarantined_ranges;
  sealed_ = false;
  return status;
}

Status ReaderCore::IsCovered(uint64_t sequence, bool* covered) {
  *covered = true;
  if (options_.mode == ReadMode::kCommitted || NextEpoch() != nullptr) return Status::Ok();
  const CatalogEpoch* epoch = Epoch();
  if (epoch == nullptr) {
    // Nothing says that it is durable. The files may be held for a moment, or gone: found out anew.
    *covered = false;
    scanner_.Close();
    return Status::Ok();
  }
  const Status status = probe_.Advance(catalog_, *epoch, segment_, offset_, sequence);
  *covered = probe_.durable() >= sequence || (status.ok() && IsOld(sequence));
  return status;
}

bool ReaderCore::IsOld(uint64_t sequence) {
  const uint64_t now = MonotonicNanos();
  if (sequence > released_ && watched_ != 0 &&
      now - watched_since_ >= options_.unmarked_after_ms * kMillisecond) {
    released_ = watched_;
    watched_ = 0;
  }
  if (sequence <= released_) {
    ++stats_.unmarked_frames;
    return true;
  }
  if (watched_ == 0 || probe_.durable() >= watched_) {
    watched_ = std::max(probe_.last(), sequence);
    watched_since_ = now;
  }
  return false;
}

void ReaderCore::TakeTimes(const uint8_t* payload, size_t size) {
  const struct {
    const char* key;
    DurationCounts* counts;
  } parts[] = {{"append", &times_.append}, {"write", &times_.write}, {"flush", &times_.flush}};
  for (const auto& part : parts) {
    CborCursor cursor(payload, size);
    if (FindCborKey(&cursor, part.key)) part.counts->AddDelta(&cursor);
  }
}

}  // namespace journal
