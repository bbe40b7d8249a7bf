#ifndef CERTWIRE_CORE_BACKGROUND_H_
#define CERTWIRE_CORE_BACKGROUND_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "buffer_pool.h"
#include "flusher.h"
#include "frame_batch.h"
#include "gap.h"
#include "journal/histogram.h"
#include "journal/writer.h"
#include "platform.h"
#include "segment_store.h"
#include "short_sleeps.h"
#include "spare_segment.h"

namespace journal {

/// What appending threads and background thread share.
struct WriterShared {
  explicit WriterShared(uint64_t max_bytes) : pool(max_bytes) {}

  EpochId id;
  BufferPool pool;
  HandOverList list;
  DropCounter drops;
  ShortSleeps sleeps;               ///< of appending threads that wait for their commit
  Bell bell;                        ///< wakes the background thread
  std::atomic<bool> stuck{false};   ///< the background thread is behind: nobody waits for it
  std::atomic<uint32_t> sealed{0};  ///< 1: everything taken so far is durable and sealed
  std::atomic<bool> seal_wanted{false};
  std::atomic<uint64_t> committed{0};  ///< records
  std::atomic<Trouble> trouble{Trouble::kNone};
  std::atomic<uint64_t> busy_since{0};  ///< MonotonicNanos of the step that runs; 0: none runs
  std::atomic<int> last_error{0};
  std::atomic<const char*> last_what{""};
  std::atomic<uint32_t> epoch{0};
  std::atomic<uint32_t> segment{0};
  DurationRecorder append_times;
  DurationRecorder write_times;
  DurationRecorder flush_times;
};

/// The background thread of a writer: the only one that writes frames. It keeps records in memory
/// while it cannot write, and goes on by itself when it can.
class Background {
 public:
  Background(const WriterOptions& options, FileSystem* files, WriterShared* shared);
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  /// Allocates what it needs; false when memory is short.
  bool Allocate() { return batch_.Allocate(); }
  Status Start();
  /// Ends both threads, after one more attempt to write what waits.
  void Stop();
  const Flusher& flusher() const { return flusher_; }
  /// Flushes without pacing from now on, for the seal.
  void Hurry() { flusher_.Hurry(); }

 private:
  static void Main(void* self);
  void Run();
  void Sleep();
  void TakeNew();
  bool Step();
  Status Advance(bool* worked);
  Status Write();
  bool SealDone() const;
  void PublishSeal();
  /// Before anything is taken that the seal does not cover.
  void Unseal();
  void Complete(Buffer* records);
  void Failed(const Status& status);
  void Recovered();

  // background_batch.cc
  void FillBatch();
  void AddEpochFrame();
  void AddGaps();
  void AddGap(const GapInfo& gap);
  void AddRecords();
  void AddMark();
  void AddSeal();
  bool GapDue() const;
  bool MarkDue() const;
  bool SealDue() const;
  bool HasRoom(uint64_t bytes);
  void AddOwnFrame(uint16_t type, uint16_t schema, const uint8_t* payload, size_t size);

  // background_segments.cc
  Status OpenEpoch();
  Status Roll();
  Status MakeSegment();
  Status CreateFile();
  Status StartSegment();
  Status WriteSegmentHeader();
  void GiveUpUnflushed();
  void WantSpare();
  uint64_t PlannedSize() const;
  uint64_t RecordLimit() const;

  FramePlace Place() const { return {shared_->id, index_, offset_}; }

  const WriterOptions& options_;
  WriterShared* shared_;
  SegmentStore store_;
  SpareSegment spare_;
  Flusher flusher_;
  Thread thread_;
  std::atomic<bool> stop_{false};

  // Everything below belongs to the background thread.
  Buffer* backlog_ = nullptr;  ///< taken from the list, not yet in a batch; oldest first
  Buffer* backlog_last_ = nullptr;
  FrameBatch batch_;
  bool epoch_begun_ = false;
  bool named_ = false;  ///< the epoch, in the lock file
  File* file_ = nullptr;
  uint32_t index_ = 0;
  uint64_t offset_ = 0;
  uint64_t size_ = 0;

  std::unique_ptr<SegmentFile> opening_;  ///< made, but its header is not written yet
  uint32_t opening_index_ = 0;
  uint64_t opening_size_ = 0;
  uint64_t opening_filled_ = 0;  ///< bytes of zeros that are there
  uint32_t next_index_ = 0;      ///< of the file that is made next
  /// The next segment's header may be on the disk: a reader may have left the segment before, so
  /// nothing is written there any more.
  bool moving_ = false;

  uint64_t needed_ = 0;  ///< bytes of the frame that does not fit into this segment; 0: all do
  uint64_t sequence_ = 0;
  uint16_t last_type_ = 0;  ///< of the last frame that took a number
  uint64_t marked_ = 0;     ///< durable sequence of the last MARK
  uint32_t growth_ = 0;     ///< doublings of the segment size so far
  bool has_flush_gap_ = false;
  GapInfo flush_gap_;
  uint64_t next_gap_at_ = 0;
  uint64_t gap_pause_ = 0;
  uint32_t failures_ = 0;
  uint64_t retry_at_ = 0;
};

}  // namespace journal

#endif  // CERTWIRE_CORE_BACKGROUND_H_
