#ifndef CERTWIRE_CORE_SEGMENT_STORE_H_
#define CERTWIRE_CORE_SEGMENT_STORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "journal/file.h"
#include "journal/writer.h"
#include "platform.h"
#include "segment.h"
#include "writer_lock.h"

namespace journal {

/// A segment that is open for writing or waits for its last flush.
struct SegmentFile {
  std::unique_ptr<File> file;
  SegmentFile* next = nullptr;
  bool abandoned = false;  ///< set before the flusher gets it: no frame is in it
  bool failed = false;    ///< flusher only: a flush failed, which is never tried again on this file
  bool reported = false;  ///< flusher only: the writer knows of that
};

/// A segment of the epoch, with the size that it will have.
struct PlannedSegment {
  uint32_t index = UINT32_MAX;
  uint64_t size = 0;
};

/// A path made of directory and file name, in fixed memory.
class FilePath {
 public:
  static constexpr size_t kMaxDirectory = 1000;
  /// `directory` is at most kMaxDirectory bytes long.
  FilePath(const char* directory, const char* name);
  const char* get() const { return text_; }

 private:
  char text_[kMaxDirectory + 32];
};

/// The journal directory as its writer sees it: the lock, the epoch number, free space, new files.
/// Old segments are never opened for writing, and nothing of them is read but one header.
/// `directory` and options must outlive it. Create may be called by both background threads, also
/// at once.
class SegmentStore {
 public:
  SegmentStore(const WriterOptions& options, FileSystem* files)
      : options_(options), files_(files) {}

  /// Takes the writer's lock and chooses an epoch number that no file name uses yet.
  Status BeginEpoch();
  /// Makes the first segment of the epoch; index 0 takes the next free epoch number. Where cap or
  /// floor leave no space for `size`, it becomes small instead.
  Status CreateFirst(uint32_t index, uint64_t* size, std::unique_ptr<File>* file);
  /// Names the epoch in the lock file, as the one that has a writer. After BeginEpoch.
  Status NameEpoch(const EpochId& id);
  /// Makes a later segment; kNoSpace when the cap or the floor of free space forbids it.
  Status Create(uint32_t index, uint64_t size, std::unique_ptr<File>* file);
  /// Bytes that the journal may come to have, as CapacityOf says; all files count.
  Status MeasureCapacity(uint64_t* capacity);
  /// kNoSpace when cap or floor forbid that segment `index`, there or not, takes `size` bytes.
  Status CheckSpace(uint32_t index, uint64_t size);
  /// Sets which segment is written, so that it counts with its whole size.
  void SetWritten(const PlannedSegment& segment);

  /// The file that has the lock; null while this writer has not got it.
  File* lock() const { return lock_.get(); }
  uint32_t epoch() const { return epoch_; }
  bool has_previous() const { return has_previous_; }
  /// Header of the newest epoch that was there before.
  const SegmentHeader& previous() const { return previous_; }

 private:
  Status TakeLock();
  /// Bytes of the journal without segment `index` of this epoch, and what is free on its volume.
  Status MeasureSpace(uint32_t without, uint64_t* used, uint64_t* free_bytes);
  Status FindPrevious();
  Status Open(uint32_t index, std::unique_ptr<File>* file);
  bool ReadHeader(uint32_t epoch, uint32_t index, SegmentHeader* header);

  const WriterOptions& options_;
  FileSystem* files_;
  std::unique_ptr<File> lock_;
  uint32_t epoch_ = 0;
  bool has_previous_ = false;
  SegmentHeader previous_;
  Lock lock_of_written_;
  PlannedSegment written_;  ///< under lock_of_written_
};

}  // namespace journal

#endif  // CERTWIRE_CORE_SEGMENT_STORE_H_
