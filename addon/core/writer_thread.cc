#include "writer_thread.h"

#include <algorithm>

#include "journal/units.h"

namespace journal {
namespace {

constexpr int64_t kIdleWriterWaitUs = 1000000;
constexpr uint64_t kFirstRetryNanos = 10 * kNanosPerMillisecond;
constexpr uint64_t kLongestRetryNanos = 500 * kNanosPerMillisecond;
/// Failed writes after which the batch moves to a new segment.
constexpr uint32_t kWritesBeforeMove = 4;
/// For a beat, which whoever watches the CA is warned of, a flush may be slow for a moment.
constexpr uint64_t kHungForBeatNanos = 30 * kNanosPerSecond;

bool Hangs(uint64_t busy_since, uint64_t hung_nanos) {
  if (busy_since == 0) return false;
  const uint64_t now = MonotonicNanos();
  return now > busy_since && now - busy_since > hung_nanos;
}

}  // namespace

WriterThread::WriterThread(const WriterOptions& options, FileSystem* files, WriterShared* shared)
    : shared_(shared),
      store_(options, files),
      spare_(&store_),
      flusher_(options.flush_interval_ms, &spare_, &shared->bell, &shared->flush_times),
      segments_(options, shared->id, &store_, &spare_, &flusher_),
      filler_(options, shared, &segments_, &flusher_),
      heartbeat_(shared->id) {}

Status WriterThread::Start() {
  const Status status = flusher_.Start();
  return status.ok() ? thread_.Start(Main, this) : status;
}

void WriterThread::Stop() {
  stop_.store(true, std::memory_order_release);
  shared_->bell.Ring();
  thread_.Join();
  flusher_.Stop();
}

void WriterThread::Main(void* self) { static_cast<WriterThread*>(self)->Run(); }

void WriterThread::Run() {
  while (!stop_.load(std::memory_order_acquire)) {
    filler_.TakeNewRecords();
    const bool worked = TakeStep();
    BeatIfDue();
    if (!worked) SleepUntilWork();
  }
  filler_.TakeNewRecords();
  while (!shared_->has_trouble() && TakeStep()) {
  }
}

WriterTrouble WriterThread::FindTrouble(uint64_t hung_nanos) const {
  const Trouble trouble = shared_->trouble.load(std::memory_order_relaxed);
  if (trouble != Trouble::kNone) {
    return {trouble == Trouble::kNoSpace ? WriterCondition::kNoSpace : WriterCondition::kIoError,
            shared_->last_error.load(std::memory_order_relaxed),
            shared_->last_what.load(std::memory_order_relaxed)};
  }
  if (Hangs(shared_->busy_since.load(std::memory_order_relaxed), hung_nanos) ||
      Hangs(flusher_.busy_since(), hung_nanos)) {
    return {WriterCondition::kHangs, 0, "the disk does not answer"};
  }
  const char* what = flusher_.last_what();
  if (*what == '\0') return {};
  return {WriterCondition::kIoError, flusher_.last_error(), what};
}

void WriterThread::BeatIfDue() {
  if (store_.lock() == nullptr) return;
  const WriterTrouble trouble = FindTrouble(kHungForBeatNanos);
  WriterBeat vitals;
  vitals.time = UtcTime();
  vitals.dropped = shared_->drops.total();
  vitals.waiting_bytes = shared_->pool.outstanding();
  vitals.condition = static_cast<uint32_t>(trouble.condition);
  vitals.os_error = static_cast<uint32_t>(trouble.os_error);
  const uint64_t now = MonotonicNanos();
  shared_->busy_since.store(now, std::memory_order_relaxed);
  heartbeat_.BeatIfDue(store_.lock(), now, vitals);
  shared_->busy_since.store(0, std::memory_order_relaxed);
}

void WriterThread::SleepUntilWork() {
  const uint32_t ticket = shared_->bell.Prepare();
  const uint64_t now = MonotonicNanos();
  const uint64_t gap_at = shared_->drops.empty() ? 0 : filler_.next_gap_at();
  const uint64_t due = retry_at_ > now ? retry_at_ : gap_at;
  const bool has_work = !shared_->list.empty() || stop_.load(std::memory_order_acquire) ||
                        (retry_at_ <= now && (filler_.IsMarkDue() || filler_.IsSealDue() ||
                                              filler_.IsSealUnpublished() || flusher_.failed()));
  if (has_work) return shared_->bell.Cancel();
  const int64_t wait_us =
      due > now ? static_cast<int64_t>((due - now) / kNanosPerMicrosecond + 1) : kIdleWriterWaitUs;
  shared_->bell.Wait(ticket, std::min(wait_us, kIdleWriterWaitUs));
}

bool WriterThread::TakeStep() {
  const uint64_t now = MonotonicNanos();
  if (now < retry_at_) return false;
  bool worked = true;
  shared_->busy_since.store(now, std::memory_order_relaxed);
  const Status status = DoNextTask(&worked);
  shared_->busy_since.store(0, std::memory_order_relaxed);
  if (!status.ok()) NoteFailure(status);
  return status.ok() && worked;
}

Status WriterThread::DoNextTask(bool* worked) {
  if (segments_.state() != SegmentState::kWriting || flusher_.failed()) return RollSegment();
  if (filler_.empty()) filler_.FillBatch();
  if (!filler_.empty()) {
    // A batch that cannot be written here may find a sound place in a new segment.
    if (failures_ > kWritesBeforeMove) {
      const Status status = RollSegment();
      if (segments_.state() == SegmentState::kMoving) return status;
    }
    return WriteBatch();
  }
  if (filler_.overflow() != 0) return RollSegment();
  shared_->stuck.store(false, std::memory_order_relaxed);
  if (filler_.IsSealUnpublished()) shared_->PublishSeal();
  *worked = false;
  return Status::Ok();
}

Status WriterThread::RollSegment() {
  const uint64_t frames = std::max<uint64_t>(filler_.overflow(), filler_.size());
  const Status status = segments_.RollSegment(frames, failures_);
  if (!status.ok()) return status;
  failures_ = 0;
  shared_->epoch.store(segments_.epoch(), std::memory_order_relaxed);
  shared_->segment.store(segments_.index(), std::memory_order_relaxed);
  // Frames that could not be written into the old segment keep their numbers: some of them may have
  // reached it, and a reader takes each number once.
  filler_.MoveBatchTo(segments_.Place());
  if (flusher_.failed()) GiveUpUnflushed();
  return status;
}

void WriterThread::GiveUpUnflushed() {
  const uint64_t last = flusher_.committed();
  const uint64_t first = flusher_.GiveUp(last);
  segments_.ResetGrowth();
  if (first <= last) filler_.ReportUnflushed(first, last);
}

Status WriterThread::WriteBatch() {
  const uint64_t start = MonotonicNanos();
  const Status status = segments_.AppendFrames(filler_.data(), filler_.size());
  shared_->write_times.Record(MonotonicNanos() - start);
  if (!status.ok()) return status;
  failures_ = 0;
  ReleaseCommitted(filler_.TakeBatchRecords());
  flusher_.NoteCommitted(filler_.sequence());
  // A GAP that went into the reserved tail does not mean that records can be written again.
  if (filler_.overflow() == 0) NoteRecovery();
  segments_.RequestSpare();
  return status;
}

void WriterThread::ReleaseCommitted(Buffer* records) {
  uint64_t count = 0;
  while (records != nullptr) {
    Buffer* next = records->next;
    const uint32_t state = records->state.fetch_or(kBufferDone, std::memory_order_acq_rel);
    if ((state & kBufferLeft) != 0) {
      shared_->pool.Release(records);
    } else if ((state & kBufferWaiting) != 0) {
      shared_->sleeps.Wake(state >> ShortSleeps::kShift, &records->state);
    }
    records = next;
    ++count;
  }
  shared_->committed.fetch_add(count, std::memory_order_relaxed);
}

void WriterThread::NoteFailure(const Status& status) {
  const bool no_space = status.code() == Status::Code::kNoSpace;
  shared_->last_error.store(status.os_error(), std::memory_order_relaxed);
  shared_->last_what.store(status.what(), std::memory_order_relaxed);
  shared_->trouble.store(no_space ? Trouble::kNoSpace : Trouble::kError);
  shared_->stuck.store(true, std::memory_order_relaxed);
  retry_at_ =
      MonotonicNanos() + std::min(kFirstRetryNanos << std::min(failures_, 10u), kLongestRetryNanos);
  ++failures_;
}

void WriterThread::NoteRecovery() {
  if (!shared_->has_trouble()) return;
  shared_->trouble.store(Trouble::kNone);
  shared_->last_error.store(0, std::memory_order_relaxed);
  shared_->last_what.store("", std::memory_order_relaxed);
  filler_.ResetGapPause();
}

}  // namespace journal
