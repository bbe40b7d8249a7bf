// How a writer's background thread begins epochs and moves from segment to segment.
#include <algorithm>

#include "background.h"

namespace journal {
namespace {

/// Room for EPOCH, GAP and MARK frames before a large record.
constexpr uint64_t kOwnFramesRoom = 32u << 10;
constexpr uint32_t kNameAttempts = 100;

}  // namespace

uint64_t Background::RecordLimit() const { return size_ - std::min(kReservedTail, size_ / 4); }

uint64_t Background::PlannedSize(uint32_t index) const {
  if (index == 0) return options_.first_segment_bytes;
  const uint64_t grown = options_.first_segment_bytes << std::min(growth_ + 1, 20u);
  return std::min(grown, std::max(options_.max_segment_bytes, options_.first_segment_bytes));
}

void Background::WantSpare() {
  // Not at once, so that an epoch with few events leaves no large unused file behind.
  if (offset_ < size_ / 4) return;
  if (spare_.Want(index_ + 1, PlannedSize(index_ + 1))) flusher_.Wake();
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
  return StartSegment();
}

Status Background::MakeSegment() {
  const uint32_t next = file_ == nullptr ? 0 : index_ + 1;
  const uint64_t planned = PlannedSize(next);
  const uint64_t frames = std::max<uint64_t>(needed_, batch_.size());
  const uint64_t needed = kSegmentHeaderSize + frames + kOwnFramesRoom + kReservedTail;
  opening_size_ = frames > planned / 2 ? std::max(planned, needed) : planned;
  opening_index_ = next;
  opening_filled_ = 0;
  if (next == 0) return store_.CreateFirst(0, &opening_size_, &opening_);
  if (spare_.Take(next, &opening_, &opening_filled_)) return Status::Ok();
  // A name that somebody has taken is passed over: only the sequence numbers must have no hole.
  Status status;
  do {
    status = store_.Create(opening_index_, opening_size_, &opening_);
  } while (status.code() == Status::Code::kExists && ++opening_index_ < next + kNameAttempts);
  return status;
}

Status Background::StartSegment() {
  if (file_ == nullptr) {
    const Status status = FillWithZeros(opening_.get(), opening_size_);
    if (!status.ok()) return status;
    opening_filled_ = opening_size_;
  }
  SegmentHeader header;
  header.epoch = store_.epoch();
  header.id = shared_->id;
  header.index = opening_index_;
  header.first_sequence = flusher_.committed() + 1;
  header.time = UtcTime();
  header.size = opening_size_;
  header.filled = opening_filled_ >= opening_size_;
  uint8_t page[kSegmentHeaderSize];
  EncodeSegmentHeader(header, page);
  const Status status = opening_->WriteAt(0, page, sizeof(page));
  if (!status.ok()) return status;
  File* file = flusher_.Adopt(&opening_);
  if (file == nullptr) return Status(Status::Code::kIo, "out of memory");
  if (file_ != nullptr) ++growth_;
  file_ = file;
  index_ = opening_index_;
  offset_ = kSegmentHeaderSize;
  size_ = opening_size_;
  failures_ = 0;
  shared_->epoch.store(header.epoch, std::memory_order_relaxed);
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
  if (!has_flush_gap_) flush_gap_.first_sequence = first;
  flush_gap_.reason = "flush-error";
  flush_gap_.last_sequence = last;
  has_flush_gap_ = true;
  growth_ = 0;
}

}  // namespace journal
