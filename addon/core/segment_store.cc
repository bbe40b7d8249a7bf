#include "segment_store.h"

#include <algorithm>
#include <cstring>

#include "journal/units.h"

namespace journal {
namespace {

/// Attempts at free epoch numbers in one go; the caller tries again later.
constexpr int kNumberAttempts = 100;
/// Size of an epoch's first segment when cap or floor leave no space.
constexpr uint64_t kSmallFirstBytes = 256 * kKibibyte;

/// Goes through the names of segments: epochs from the highest number down, the segments of each in
/// order.
class NextName final : public DirectoryVisitor {
 public:
  /// `epoch` and `index`: the name before; no segment has UINT32_MAX + 1 as its epoch.
  NextName(uint64_t epoch, uint32_t index) : epoch_(epoch), index_(index) {}
  void Visit(const DirectoryEntry& entry) override {
    uint32_t epoch;
    uint32_t index;
    if (!ParseSegmentName(entry.name, &epoch, &index)) return;
    if (epoch > epoch_ || (epoch == epoch_ && index <= index_)) return;
    if (found_ && (epoch < found_epoch_ || (epoch == found_epoch_ && index > found_index_))) return;
    found_ = true;
    found_epoch_ = epoch;
    found_index_ = index;
  }
  bool found() const { return found_; }
  uint32_t epoch() const { return found_epoch_; }
  uint32_t index() const { return found_index_; }

 private:
  uint64_t epoch_;
  uint32_t index_;
  bool found_ = false;
  uint32_t found_epoch_ = 0;
  uint32_t found_index_ = 0;
};

/// True when any file name uses an epoch number.
class NumberInUse final : public DirectoryVisitor {
 public:
  explicit NumberInUse(uint32_t epoch) : epoch_(epoch) {}
  void Visit(const DirectoryEntry& entry) override {
    uint32_t epoch;
    uint32_t index;
    if (ParseSegmentName(entry.name, &epoch, &index) && epoch == epoch_) used_ = true;
  }
  bool used() const { return used_; }

 private:
  uint32_t epoch_;
  bool used_ = false;
};

/// Sums the sizes of all segment files but one, and counts the one that is written with the size
/// that it will have: it may still grow, and NTFS lists the size of an open file late.
class JournalSize final : public DirectoryVisitor {
 public:
  JournalSize(uint32_t epoch, uint32_t without, const PlannedSegment& growing)
      : epoch_(epoch), without_(without), growing_(growing) {}
  void Visit(const DirectoryEntry& entry) override {
    uint32_t epoch;
    uint32_t index;
    if (!ParseSegmentName(entry.name, &epoch, &index)) return;
    if (epoch == epoch_ && index == without_) return;
    const bool grows = epoch == epoch_ && index == growing_.index;
    bytes_ += grows ? std::max(entry.size, growing_.size) : entry.size;
  }
  uint64_t bytes() const { return bytes_; }

 private:
  uint32_t epoch_;
  uint32_t without_;
  PlannedSegment growing_;
  uint64_t bytes_ = 0;
};

}  // namespace

FilePath::FilePath(const char* directory, const char* name) {
  const size_t length = std::strlen(directory);
  std::memcpy(text_, directory, length);
  text_[length] = '/';
  std::memcpy(text_ + length + 1, name, std::strlen(name) + 1);
}

Status SegmentStore::BeginEpoch() {
  if (lock_ == nullptr) {
    const Status status = TakeLock();
    if (!status.ok()) return status;
  }
  const Status status = FindPrevious();
  if (!status.ok()) return status;
  epoch_ = has_previous_ ? previous_.epoch + 1 : 1;
  return Status::Ok();
}

Status SegmentStore::TakeLock() {
  std::unique_ptr<File> file;
  const FilePath path(options_.directory, kWriterLockName);
  Status status = files_->Open(path.get(), OpenMode::kOpenOrCreate, &file);
  if (status.ok()) status = file->TryLock();
  if (status.ok()) lock_ = std::move(file);
  return status;
}

Status SegmentStore::FindPrevious() {
  // A name without a valid header under it means nothing; the first segment of an epoch may have
  // been given up before it got one.
  has_previous_ = false;
  uint64_t epoch = uint64_t{UINT32_MAX} + 1;
  uint32_t index = 0;
  for (;;) {
    NextName next(epoch, index);
    const Status status = files_->List(options_.directory, &next);
    if (!status.ok() || !next.found()) return status;
    if (ReadHeader(next.epoch(), next.index(), &previous_)) {
      has_previous_ = true;
      return Status::Ok();
    }
    epoch = next.epoch();
    index = next.index();
  }
}

Status SegmentStore::NameEpoch(const EpochId& id) {
  uint8_t bytes[kLockedEpochSize];
  EncodeLockedEpoch({epoch_, id}, bytes);
  return lock_->WriteAt(kLockedEpochOffset, bytes, sizeof(bytes));
}

bool SegmentStore::ReadHeader(uint32_t epoch, uint32_t index, SegmentHeader* header) {
  char name[kSegmentNameSize];
  FormatSegmentName(epoch, index, name);
  const FilePath path(options_.directory, name);
  std::unique_ptr<File> file;
  uint8_t page[kSegmentHeaderSize];
  size_t read = 0;
  return files_->Open(path.get(), OpenMode::kRead, &file).ok() &&
         file->ReadAt(0, page, sizeof(page), &read).ok() &&
         DecodeSegmentHeader(page, read, header) && header->epoch == epoch &&
         header->index == index && epoch != UINT32_MAX;
}

Status SegmentStore::CreateFirst(uint32_t index, uint64_t* size, std::unique_ptr<File>* file) {
  const Status space = CheckSpace(index, *size);
  // A writer without any segment could not even report what it lost.
  if (space.code() == Status::Code::kNoSpace) *size = std::min(*size, kSmallFirstBytes);
  if (!space.ok() && space.code() != Status::Code::kNoSpace) return space;
  if (index != 0) return Open(index, file);
  for (int attempt = 0; attempt < kNumberAttempts; ++attempt) {
    NumberInUse number(epoch_);
    Status status = files_->List(options_.directory, &number);
    if (status.ok() && !number.used()) status = Open(0, file);
    if (!number.used() && status.code() != Status::Code::kExists) return status;
    ++epoch_;
  }
  return Status(Status::Code::kExists, "no free epoch number");
}

Status SegmentStore::Create(uint32_t index, uint64_t size, std::unique_ptr<File>* file) {
  const Status space = CheckSpace(index, size);
  return space.ok() ? Open(index, file) : space;
}

Status SegmentStore::Open(uint32_t index, std::unique_ptr<File>* file) {
  char name[kSegmentNameSize];
  FormatSegmentName(epoch_, index, name);
  const FilePath path(options_.directory, name);
  return files_->Open(path.get(), OpenMode::kCreateNew, file);
}

void SegmentStore::SetWritten(const PlannedSegment& segment) {
  const LockGuard guard(&lock_of_written_);
  written_ = segment;
}

Status SegmentStore::MeasureSpace(uint32_t without, uint64_t* used, uint64_t* free_bytes) {
  PlannedSegment written;
  {
    const LockGuard guard(&lock_of_written_);
    written = written_;
  }
  JournalSize size(epoch_, without, written);
  const Status status = files_->List(options_.directory, &size);
  if (!status.ok()) return status;
  *used = size.bytes();
  return files_->FreeSpace(options_.directory, free_bytes);
}

Status SegmentStore::MeasureCapacity(uint64_t* capacity) {
  uint64_t used = 0;
  uint64_t free_bytes = 0;
  const Status status = MeasureSpace(UINT32_MAX, &used, &free_bytes);
  if (status.ok()) {
    *capacity = CapacityOf(options_.max_journal_bytes, options_.min_free_bytes, used, free_bytes);
  }
  return status;
}

Status SegmentStore::CheckSpace(uint32_t index, uint64_t size) {
  uint64_t used = 0;
  uint64_t free_bytes = 0;
  const Status status = MeasureSpace(index, &used, &free_bytes);
  if (!status.ok()) return status;
  if (used + size > options_.max_journal_bytes) {
    return Status(Status::Code::kNoSpace, "MaxJournalMegabytes is reached");
  }
  if (free_bytes < size || free_bytes - size < options_.min_free_bytes) {
    return Status(Status::Code::kNoSpace, "MinFreeMegabytes is reached");
  }
  return Status::Ok();
}

}  // namespace journal
