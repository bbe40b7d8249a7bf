#include "spare_segment.h"

#include <algorithm>
#include <new>

#include "journal/units.h"

namespace journal {
namespace {

constexpr size_t kStepBytes = 256 * kKibibyte;
/// Zeros are flushed in parts, so that no flush of records has to wait for 64 MiB of them.
constexpr uint64_t kFlushEvery = 4 * kMebibyte;
constexpr uint64_t kRetryNanos = kNanosPerSecond;
constexpr uint8_t kZeros[kStepBytes] = {};

}  // namespace

Status FillWithZeros(File* file, uint64_t size) {
  Status status;
  for (uint64_t at = 0; status.ok() && at < size; at += kStepBytes) {
    status =
        file->WriteAt(at, kZeros, static_cast<size_t>(std::min<uint64_t>(kStepBytes, size - at)));
  }
  return status;
}

bool SpareSegment::Request(uint32_t index, uint64_t size) {
  if (wanted_.load(std::memory_order_relaxed) == index) return false;
  wanted_size_.store(size, std::memory_order_relaxed);
  wanted_.store(index, std::memory_order_release);
  return true;
}

bool SpareSegment::TakeOver(uint32_t index, std::unique_ptr<SegmentFile>* segment,
                            uint64_t* filled) {
  const LockGuard guard(&lock_);
  wanted_.store(kNothing, std::memory_order_relaxed);
  if (index_ != index) return false;
  *segment = std::move(segment_);
  *filled = filled_;
  index_ = kNothing;
  return true;
}

bool SpareSegment::HasWork(uint64_t now) const {
  const uint32_t wanted = wanted_.load(std::memory_order_acquire);
  if (wanted == kNothing || now < retry_at_) return false;
  const LockGuard guard(&lock_);
  return wanted != index_ || filled_ < size_;
}

Status SpareSegment::MakeFile(uint32_t index) {
  segment_.reset(new (std::nothrow) SegmentFile);
  if (segment_ == nullptr) return Status(Status::Code::kIo, "out of memory");
  size_ = wanted_size_.load(std::memory_order_relaxed);
  filled_ = 0;
  const Status status = store_->Create(index, size_, &segment_->file);
  if (status.ok()) index_ = index;
  return status;
}

Status SpareSegment::FillPart(SegmentFile** flush) {
  const uint64_t step = std::min<uint64_t>(kStepBytes, size_ - filled_);
  const Status status = segment_->file->WriteAt(filled_, kZeros, static_cast<size_t>(step));
  if (!status.ok()) return status;
  filled_ += step;
  if (filled_ == size_ || filled_ % kFlushEvery == 0) *flush = segment_.get();
  return status;
}

Status SpareSegment::FlushZeros(SegmentFile* segment) {
  const Status status = segment->file->Flush();
  if (status.ok()) return status;
  segment->failed = true;
  const LockGuard guard(&lock_);
  // A file that the writer has taken meanwhile is reported with its next flush.
  if (segment_.get() != segment) return status;
  segment_.reset();
  index_ = kNothing;
  return status;
}

void SpareSegment::DoOneStep() {
  Status status;
  SegmentFile* flush = nullptr;
  {
    const LockGuard guard(&lock_);
    const uint32_t wanted = wanted_.load(std::memory_order_acquire);
    if (wanted == kNothing) return;
    status = index_ == wanted ? FillPart(&flush) : MakeFile(wanted);
  }
  // Without the lock, so that the writer can take the file meanwhile: only this thread closes
  // files.
  if (flush != nullptr) status = FlushZeros(flush);
  if (!status.ok()) retry_at_ = MonotonicNanos() + kRetryNanos;
}

}  // namespace journal
