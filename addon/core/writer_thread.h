#ifndef CERTWIRE_CORE_WRITER_THREAD_H_
#define CERTWIRE_CORE_WRITER_THREAD_H_

#include <atomic>
#include <cstdint>

#include "batch_filler.h"
#include "flusher.h"
#include "heartbeat.h"
#include "journal/writer.h"
#include "journal/writer_beat.h"
#include "platform.h"
#include "segment_roller.h"
#include "segment_store.h"
#include "spare_segment.h"
#include "writer_shared.h"

namespace journal {

/// What is wrong with the disk, the worst first.
struct WriterTrouble {
  WriterCondition condition = WriterCondition::kOk;
  int os_error = 0;
  const char* what = "";  ///< a literal, empty when nothing is wrong
};

/// The only thread that writes frames: takes records, fills a batch, writes it, and goes to the
/// next segment when one is full or broken. While it cannot write, it keeps the records in memory
/// and tries again.
class WriterThread {
 public:
  /// All must outlive it.
  WriterThread(const WriterOptions& options, FileSystem* files, WriterShared* shared);
  WriterThread(const WriterThread&) = delete;
  WriterThread& operator=(const WriterThread&) = delete;

  /// Allocates what it needs; false when memory is short.
  bool Allocate() { return filler_.Allocate(); }
  /// Starts this thread and the flusher's.
  Status Start();
  /// Ends both threads, after one more attempt to write what waits.
  void Stop();
  const Flusher& flusher() const { return flusher_; }
  /// By any thread. An operation that takes longer than `hung_nanos` hangs.
  WriterTrouble FindTrouble(uint64_t hung_nanos) const;
  /// Stops pacing the flushes, for the seal.
  void Hurry() { flusher_.Hurry(); }

 private:
  static void Main(void* self);
  void Run();
  void BeatIfDue();
  void SleepUntilWork();
  /// False when there is nothing to do, or no attempt is due yet.
  bool TakeStep();
  Status DoNextTask(bool* worked);
  Status RollSegment();
  Status WriteBatch();
  void ReleaseCommitted(Buffer* records);
  void GiveUpUnflushed();
  void NoteFailure(const Status& status);
  void NoteRecovery();

  WriterShared* shared_;
  SegmentStore store_;
  SpareSegment spare_;
  Flusher flusher_;
  Thread thread_;
  std::atomic<bool> stop_{false};

  // Everything below is used by this thread only.
  SegmentRoller segments_;
  BatchFiller filler_;
  Heartbeat heartbeat_;
  uint32_t failures_ = 0;  ///< failed attempts since something last succeeded
  uint64_t retry_at_ = 0;  ///< MonotonicNanos
};

}  // namespace journal

#endif  // CERTWIRE_CORE_WRITER_THREAD_H_
