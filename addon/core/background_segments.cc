// How a writer's background thread begins epochs and moves from segment to segment.
#include <algorithm>
#include <bit>
#include <new>
#include <utility>

#include "background.h"

namespace journal {
namespace {

/// Room for EPOCH, GAP and MARK frames before a large record.
constexpr uint64_t kOwnFramesRoom = 32u << 10;
constexpr uint32_t kNameAttempts = 100;
/// A journal at its cap is at least so many segments: the service deletes the oldest ones from 85 %
/// of the cap on, which has to come before there is no room for the next one.
constexpr uint64_t kParts = 16;

}  // namespace

uint64_t Background::RecordLimit() const { return size_ - std::min(kReservedTail, size_ / 4); }

uint64_t Background::PlannedSize() const {
  if (file_ == nullptr) return options_.first_segment_bytes;
  const uint64_t grown = options_.first_segment_bytes << std::min(growth_ + 1, 20u);
  const uint64_t largest =
      std::min(options_.max_segment_bytes, options_.max_journal_bytes / kParts);
  return std::min(grown, std::max(largest, options_.first_segment_bytes));
}

void Background::WantSpare() {
  // Not at once, so that an epoch with few events leaves no large unused file behind.
  if (offset_ < size_ / 4) return;
  if (spare_.Want(next_index_, PlannedSize())) flusher_.Wake();
}

Status Background::OpenEpoch() {
  if (!epoch_begun_) {
    const Status status = store_.BeginEpoch();
    if (!status.ok()) return status;
    epoch_begun_ = true;
  }
  return Roll();
}

Status Background::Roll() {
  if (opening_ == nullptr) {
    const Status status = MakeSegment();
    if (!status.ok()) return status;
  }
  const Status status = StartSegment();
  // The place of this file on the disk may be the trouble. But a disk may refuse everything for
  // days: a new file after 1, 2, 4, 8... failures. The flusher closes it, as it may be flushing it.
  if (!status.ok() && std::has_single_bit(failures_ + 1)) {
    opening_->abandoned = true;
    flusher_.Adopt(std::move(opening_));
  }
  return status;
}

Status Background::MakeSegment() {
  opening_.reset(new (std::nothrow) SegmentFile);
  if (opening_ == nullptr) return Status(Status::Code::kIo, "out of memory");
  const uint64_t planned = PlannedSize();
  const uint64_t frames = std::max<uint64_t>(needed_, batch_.size());
  const uint64_t needed = kSegmentHeaderSize + frames + kOwnFramesRoom + kReservedTail;
  opening_size_ = frames > planned / 2 ? std::max(planned, needed) : planned;
  opening_index_ = next_index_;
  opening_filled_ = 0;
  const Status status = CreateFile();
  if (status.ok()) {
    next_index_ = opening_index_ + 1;
  } else {
    opening_.reset();
  }
  return status;
}

Status Background::CreateFile() {
  if (file_ == nullptr) {
    return store_.CreateFirst(opening_index_, &opening_size_, &opening_->file);
  }
  // Made for segments of the planned size; a larger one needs room of its own.
  if (opening_size_ > PlannedSize()) {
    const Status room = store_.CheckRoom(opening_index_, opening_size_);
    if (!room.ok()) return room;
  }
  if (spare_.Take(next_index_, &opening_, &opening_filled_)) return Status::Ok();
  // A name that somebody has taken is passed over: only the sequence numbers must have no hole.
  Status status;
  do {
    status = store_.Create(opening_index_, opening_size_, &opening_->file);
  } while (status.code() == Status::Code::kExists &&
           ++opening_index_ < next_index_ + kNameAttempts);
  return status;
}

Status Background::WriteSegmentHeader() {
  SegmentHeader header;
  header.epoch = store_.epoch();
  header.id = shared_->id;
  header.index = opening_index_;
  header.first_sequence = flusher_.committed() + 1;
  header.time = UtcTime();
  header.size = opening_size_;
  header.filled = opening_filled_ >= opening_size_;
  header.max_journal_bytes = options_.max_journal_bytes;
  header.min_free_bytes = options_.min_free_bytes;
  uint8_t page[kSegmentHeaderSize];
  EncodeSegmentHeader(header, page);
  moving_ = true;
  return opening_->file->WriteAt(0, page, sizeof(page));
}

Status Background::StartSegment() {
  if (file_ == nullptr) {
    const Status status = FillWithZeros(opening_->file.get(), opening_size_);
    if (!status.ok()) return status;
    opening_filled_ = opening_size_;
  }
  // Before anybody can see the epoch. Without the name readers go by the order of the numbers
  // alone, so that this is no reason to have no journal; it is tried again with the next segment.
  if (!named_) named_ = store_.NameEpoch(shared_->id).ok();
  const Status status = WriteSegmentHeader();
  if (!status.ok()) return status;
  moving_ = false;
  if (file_ != nullptr) ++growth_;
  file_ = flusher_.Adopt(std::move(opening_));
  index_ = opening_index_;
  offset_ = kSegmentHeaderSize;
  size_ = opening_size_;
  store_.SetWritten({index_, size_});
  failures_ = 0;
  shared_->epoch.store(store_.epoch(), std::memory_order_relaxed);
  shared_->segment.store(index_, std::memory_order_relaxed);
  // Frames that could not be written into the old segment keep their numbers: some of them may have
  // reached it, and a reader takes each number once.
  batch_.MoveTo(Place());
  if (flusher_.failed()) GiveUpUnflushed();
  return status;
}

void Background::GiveUpUnflushed() {
  const uint64_t last = flusher_.committed();
  const uint64_t first = flusher_.GiveUp(last);
  growth_ = 0;
  if (first > last) return;
  if (!has_flush_gap_) flush_gap_.first_sequence = first;
  flush_gap_.reason = "flush-error";
  flush_gap_.last_sequence = last;
  has_flush_gap_ = true;
}

}  // namespace journal
