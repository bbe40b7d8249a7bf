#include "journal/reader.h"

#include <algorithm>
#include <atomic>
#include <new>
#include <utility>

#include "batch_builder.h"
#include "epoch_cursor.h"
#include "epoch_view.h"
#include "frame_cursor.h"
#include "journal/file.h"
#include "journal/units.h"
#include "platform.h"

namespace journal {
namespace {

/// Steps of one call, so that a call that hands out little still ends soon.
constexpr int kMaxSteps = 100000;
/// How long a listed file may fail to open before that is an error.
constexpr uint64_t kAbsentPatienceNanos = 5 * kNanosPerSecond;

/// The loop over steps: each one goes through one frame, or to another segment or epoch.
class ReaderCore final : public Reader {
 public:
  explicit ReaderCore(const ReaderOptions& options)
      : ReaderCore(options,
                   options.file_system != nullptr ? options.file_system : DefaultFileSystem()) {}
  Status Read(Batch* batch) override;
  Status ReadWithin(uint32_t wait_ms, uint32_t poll_ms, Batch* batch) override;
  void StopWaiting() override;
  std::string BlockingSegment() const override { return view_.blocking_segment(); }
  bool AtEnd() const override { return at_end_; }
  ReaderStats Stats() const override { return stats_; }
  WriterTimes Times() const override { return times_; }

 private:
  ReaderCore(const ReaderOptions& options, FileSystem* files)
      : relist_nanos_(options.relist_ms * kNanosPerMillisecond),
        view_(files, options.directory, &place_),
        batch_(options.max_batch_bytes, options.max_batch_frames, &stats_),
        frames_({files, &place_, &view_, &batch_, &stats_, &times_}, options),
        epochs_({files, &place_, &view_, &frames_, &batch_, &stats_}, options) {}

  Status ReadBatch();
  Status ListDirectory();
  StepResult StepPatiently();
  StepResult Step();

  const uint64_t relist_nanos_;
  ReaderStats stats_;
  WriterTimes times_;
  ReadPlace place_;
  EpochView view_;
  BatchBuilder batch_;
  FrameCursor frames_;
  EpochCursor epochs_;
  bool at_end_ = false;
  uint64_t listed_at_ = 0;     ///< MonotonicNanos; 0: list the directory at the next read
  uint64_t absent_since_ = 0;  ///< since when a listed file cannot be opened; 0: all can
  Bell bell_;                  ///< rings to end a wait
  std::atomic<bool> stopped_{false};
};

Status ReaderCore::Read(Batch* batch) {
  batch_.Begin(batch);
  const Status status = ReadBatch();
  batch_.End();
  return status;
}

Status ReaderCore::ReadWithin(uint32_t wait_ms, uint32_t poll_ms, Batch* batch) {
  const uint64_t until = MonotonicNanos() + wait_ms * kNanosPerMillisecond;
  for (;;) {
    const uint32_t ticket = bell_.Prepare();
    const Status status = Read(batch);
    const uint64_t now = MonotonicNanos();
    if (!status.ok() || !batch->entries.empty() || now >= until ||
        stopped_.load(std::memory_order_seq_cst)) {
      bell_.Cancel();
      return status;
    }
    const uint64_t pause = std::min(poll_ms * kNanosPerMillisecond, until - now);
    bell_.Wait(ticket, static_cast<int64_t>(pause / kNanosPerMicrosecond + 1));
  }
}

void ReaderCore::StopWaiting() {
  stopped_.store(true, std::memory_order_seq_cst);
  bell_.Ring();
}

Status ReaderCore::ReadBatch() {
  at_end_ = false;
  frames_.Invalidate();
  const Status listed = ListDirectory();
  if (!listed.ok()) return listed;
  StepResult result = StepOutcome::kMoved;
  for (int i = 0; i < kMaxSteps && result.moved(); ++i) result = StepPatiently();
  const bool at_end = result.outcome() == StepOutcome::kEnd;
  const bool idle = at_end || result.outcome() == StepOutcome::kWaiting;
  if (!idle || !batch_.empty()) listed_at_ = 0;
  at_end_ = at_end && batch_.empty() && view_.blocked().ok();
  // What was read before an error is handed out; the next call reports the error again.
  if (!batch_.empty()) return Status::Ok();
  return idle ? view_.blocked() : result.status();
}

Status ReaderCore::ListDirectory() {
  // The listing comes before the reads: an epoch or segment that it shows as ended gets no more
  // frames. It may be an older listing: a reader that waits at the end reads the open segment often
  // but lists the directory only now and then.
  const uint64_t now = MonotonicNanos();
  if (listed_at_ != 0 && now - listed_at_ < relist_nanos_) return Status::Ok();
  const Status status = view_.Refresh(now);
  listed_at_ = status.ok() ? now : 0;
  return status;
}

StepResult ReaderCore::StepPatiently() {
  const StepResult result = Step();
  const Status::Code code = result.status().code();
  if (code != Status::Code::kNotFound && code != Status::Code::kBusy) {
    absent_since_ = 0;
    return result;
  }
  // Deleted since the listing, or held by a virus scanner: the next listing or attempt shows which.
  const uint64_t now = MonotonicNanos();
  if (absent_since_ == 0) absent_since_ = now;
  if (now - absent_since_ > kAbsentPatienceNanos) return result;
  return StepOutcome::kWaiting;
}

StepResult ReaderCore::Step() {
  if (epochs_.state() == EpochState::kSearching) return epochs_.FindStart();
  if (epochs_.state() != EpochState::kReading) return epochs_.LeaveEpoch();
  if (!frames_.is_open()) return epochs_.OpenSegment();
  const StepResult result = frames_.StepToNextFrame();
  if (result.outcome() != StepOutcome::kSegmentEnd) return result;
  epochs_.LeaveSegment();
  return StepOutcome::kMoved;
}

}  // namespace

std::unique_ptr<Reader> Reader::Open(ReaderOptions options) {
  return std::unique_ptr<Reader>(new (std::nothrow) ReaderCore(options));
}

}  // namespace journal
