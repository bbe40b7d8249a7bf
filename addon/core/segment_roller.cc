#include "segment_roller.h"

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

#include "journal/units.h"
#include "platform.h"

namespace journal {
namespace {

/// Space for EPOCH, GAP and MARK frames before a large record.
constexpr uint64_t kOwnFramesBytes = 32 * kKibibyte;
constexpr uint32_t kNameAttempts = 100;
static_assert(kSegmentHeaderSize + kFrameHeaderSize + kFrameAlignment + kOwnFramesBytes +
                  kReservedTail <=
              kSegmentOverheadBytes);

}  // namespace

uint64_t SegmentRoller::record_end() const { return size_ - std::min(kReservedTail, size_ / 4); }

uint64_t SegmentRoller::PlannedSize() const {
  if (!has_segment()) return options_.first_segment_bytes;
  const uint64_t grown = options_.first_segment_bytes << std::min(growth_ + 1, 20u);
  // The current segment is never deleted, so its successor must find space beside it.
  const uint64_t largest =
      std::min(options_.max_segment_bytes,
               std::min(options_.max_journal_bytes, capacity_) / kSegmentsInCapacity);
  return std::min(grown, std::max(largest, options_.first_segment_bytes));
}

void SegmentRoller::RequestSpare() {
  // Not at once, so that an epoch with few events leaves no large unused file.
  if (offset_ < size_ / 4) return;
  if (spare_->Request(next_index_, PlannedSize())) flusher_->Wake();
}

Status SegmentRoller::AppendFrames(const uint8_t* data, size_t size) {
  const Status status = file_->WriteAt(offset_, data, size);
  if (status.ok()) offset_ += size;
  return status;
}

Status SegmentRoller::BeginEpoch() {
  const Status status = store_->BeginEpoch();
  if (status.ok()) state_ = SegmentState::kNoSegment;
  return status;
}

Status SegmentRoller::RollSegment(uint64_t frames, uint32_t failures) {
  if (state_ == SegmentState::kNoEpoch) {
    const Status status = BeginEpoch();
    if (!status.ok()) return status;
  }
  if (opening_ == nullptr) {
    const Status status = MakeSegment(frames);
    if (!status.ok()) return status;
  }
  const Status status = StartSegment();
  // The cause may be the place of this file on the disk. But a disk may refuse everything for days:
  // a new file is made only after 1, 2, 4, 8... failures. The flusher closes the old one, since it
  // may be flushing it.
  if (!status.ok() && std::has_single_bit(failures + 1)) {
    opening_->abandoned = true;
    flusher_->Adopt(std::move(opening_));
  }
  return status;
}

Status SegmentRoller::MakeSegment(uint64_t frames) {
  opening_.reset(new (std::nothrow) SegmentFile);
  if (opening_ == nullptr) return Status(Status::Code::kIo, "out of memory");
  const uint64_t planned = PlannedSize();
  const uint64_t needed = kSegmentHeaderSize + frames + kOwnFramesBytes + kReservedTail;
  opening_size_ = frames > planned / 2 ? std::max(planned, needed) : planned;
  opening_index_ = next_index_;
  opening_filled_ = 0;
  const Status status = CreateSegmentFile();
  if (status.ok()) {
    next_index_ = opening_index_ + 1;
  } else {
    opening_.reset();
    // The volume may have less space than when this size was planned.
    if (status.code() == Status::Code::kNoSpace) MeasureCapacity();
  }
  return status;
}

void SegmentRoller::MeasureCapacity() {
  uint64_t capacity = 0;
  // Without a new figure the old one has to do.
  if (store_->MeasureCapacity(&capacity).ok()) capacity_ = capacity;
}

Status SegmentRoller::CreateSegmentFile() {
  if (!has_segment()) {
    return store_->CreateFirst(opening_index_, &opening_size_, &opening_->file);
  }
  // The spare has the planned size; a larger segment needs space of its own.
  if (opening_size_ > PlannedSize()) {
    const Status space = store_->CheckSpace(opening_index_, opening_size_);
    if (!space.ok()) return space;
  }
  if (spare_->TakeOver(next_index_, &opening_, &opening_filled_)) {
    opening_size_ = std::max(opening_size_, opening_filled_);
    return Status::Ok();
  }
  // A name that is already taken is skipped: only the sequence numbers must have no hole.
  Status status;
  do {
    status = store_->Create(opening_index_, opening_size_, &opening_->file);
  } while (status.code() == Status::Code::kExists &&
           ++opening_index_ < next_index_ + kNameAttempts);
  return status;
}

Status SegmentRoller::WriteSegmentHeader() {
  SegmentHeader header;
  header.epoch = store_->epoch();
  header.id = id_;
  header.index = opening_index_;
  header.first_sequence = flusher_->committed() + 1;
  header.time = UtcTime();
  header.size = opening_size_;
  header.filled = opening_filled_ >= opening_size_;
  header.max_journal_bytes = options_.max_journal_bytes;
  header.min_free_bytes = options_.min_free_bytes;
  uint8_t page[kSegmentHeaderSize];
  EncodeSegmentHeader(header, page);
  if (has_segment()) state_ = SegmentState::kMoving;
  return opening_->file->WriteAt(0, page, sizeof(page));
}

Status SegmentRoller::StartSegment() {
  if (!has_segment()) {
    const Status status = FillWithZeros(opening_->file.get(), opening_size_);
    if (!status.ok()) return status;
    opening_filled_ = opening_size_;
  }
  // Before anyone can see the epoch. Without the name, readers go by the order of the numbers
  // alone, which is not a reason to have no journal; the next segment tries again.
  if (!is_named_) is_named_ = store_->NameEpoch(id_).ok();
  const Status status = WriteSegmentHeader();
  if (!status.ok()) return status;
  if (has_segment()) ++growth_;
  state_ = SegmentState::kWriting;
  file_ = flusher_->Adopt(std::move(opening_));
  index_ = opening_index_;
  offset_ = kSegmentHeaderSize;
  size_ = opening_size_;
  store_->SetWritten({index_, size_});
  MeasureCapacity();
  return status;
}

}  // namespace journal
