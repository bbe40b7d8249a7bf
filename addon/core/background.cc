#include "background.h"

#include <algorithm>

namespace journal {
namespace {

constexpr int64_t kIdleWaitUs = 1000000;
constexpr uint64_t kFirstRetryNanos = 10000000;
constexpr uint64_t kLongestRetryNanos = 500000000;
/// Failed writes after which the batch moves to a new segment.
constexpr uint32_t kWritesBeforeMove = 4;

}  // namespace

Background::Background(const WriterOptions& options, FileSystem* files, WriterShared* shared)
    : options_(options),
      shared_(shared),
      store_(options, files),
      spare_(&store_),
      flusher_(options.flush_interval_ms, &spare_, &shared->bell, &shared->flush_times) {}

Background::~Background() {
  for (Buffer* records : {batch_.Take(), backlog_, shared_->list.TakeAll()}) {
    while (records != nullptr) {
      Buffer* next = records->next;
      shared_->pool.Release(records);
      records = next;
    }
  }
}

Status Background::Start() {
  const Status status = flusher_.Start();
  return status.ok() ? thread_.Start(Main, this) : status;
}

void Background::Stop() {
  stop_.store(true, std::memory_order_release);
  shared_->bell.Ring();
  thread_.Join();
  flusher_.Stop();
}

void Background::Main(void* self) { static_cast<Background*>(self)->Run(); }

void Background::Run() {
  while (!stop_.load(std::memory_order_acquire)) {
    TakeNew();
    if (!Step()) Sleep();
  }
  TakeNew();
  while (shared_->trouble.load() == Trouble::kNone && Step()) {
  }
}

void Background::Sleep() {
  const uint32_t ticket = shared_->bell.Prepare();
  const uint64_t now = MonotonicNanos();
  const uint64_t due = retry_at_ > now ? retry_at_ : shared_->drops.empty() ? 0 : next_gap_at_;
  const bool work =
      !shared_->list.empty() || stop_.load(std::memory_order_acquire) ||
      (retry_at_ <= now && (MarkDue() || SealDue() || SealDone() || flusher_.failed()));
  if (work) return shared_->bell.Cancel();
  const int64_t wait_us = due > now ? static_cast<int64_t>((due - now) / 1000 + 1) : kIdleWaitUs;
  shared_->bell.Wait(ticket, std::min(wait_us, kIdleWaitUs));
}

void Background::TakeNew() {
  if (shared_->list.empty()) return;
  Unseal();
  Buffer* records = shared_->list.TakeAll();
  (backlog_last_ == nullptr ? backlog_ : backlog_last_->next) = records;
  while (records->next != nullptr) records = records->next;
  backlog_last_ = records;
}

bool Background::Step() {
  const uint64_t now = MonotonicNanos();
  if (now < retry_at_) return false;
  bool worked = true;
  shared_->busy_since.store(now, std::memory_order_relaxed);
  const Status status = Advance(&worked);
  shared_->busy_since.store(0, std::memory_order_relaxed);
  if (!status.ok()) Failed(status);
  return status.ok() && worked;
}

Status Background::Advance(bool* worked) {
  if (file_ == nullptr) return OpenEpoch();
  if (moving_ || flusher_.failed()) return Roll();
  if (batch_.empty()) FillBatch();
  if (!batch_.empty()) {
    // A batch that cannot be written here may find a sound place in a new segment.
    if (failures_ > kWritesBeforeMove) {
      const Status status = Roll();
      if (moving_) return status;
    }
    return Write();
  }
  if (needed_ != 0) return Roll();
  shared_->stuck.store(false, std::memory_order_relaxed);
  if (SealDone()) PublishSeal();
  *worked = false;
  return Status::Ok();
}

bool Background::SealDone() const {
  return last_type_ == kSealFrame && flusher_.durable() == sequence_ &&
         shared_->sealed.load(std::memory_order_relaxed) == 0;
}

void Background::Unseal() { shared_->sealed.store(0, std::memory_order_release); }

void Background::PublishSeal() {
  shared_->sealed.store(1, std::memory_order_release);
  WakeWaiters(&shared_->sealed);
}

Status Background::Write() {
  const uint64_t start = MonotonicNanos();
  const Status status = file_->WriteAt(offset_, batch_.data(), batch_.size());
  shared_->write_times.Record(MonotonicNanos() - start);
  if (!status.ok()) return status;
  offset_ += batch_.size();
  failures_ = 0;
  Complete(batch_.Take());
  flusher_.Committed(sequence_);
  // A GAP that went into the reserved tail does not mean that records can be written again.
  if (needed_ == 0) Recovered();
  WantSpare();
  return status;
}

void Background::Complete(Buffer* records) {
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

void Background::Failed(const Status& status) {
  const bool no_space = status.code() == Status::Code::kNoSpace;
  shared_->last_error.store(status.os_error(), std::memory_order_relaxed);
  shared_->last_what.store(status.what(), std::memory_order_relaxed);
  shared_->trouble.store(no_space ? Trouble::kNoSpace : Trouble::kError);
  shared_->stuck.store(true, std::memory_order_relaxed);
  retry_at_ =
      MonotonicNanos() + std::min(kFirstRetryNanos << std::min(failures_, 10u), kLongestRetryNanos);
  ++failures_;
}

void Background::Recovered() {
  if (shared_->trouble.load(std::memory_order_relaxed) == Trouble::kNone) return;
  shared_->trouble.store(Trouble::kNone);
  shared_->last_error.store(0, std::memory_order_relaxed);
  shared_->last_what.store("", std::memory_order_relaxed);
  gap_pause_ = 0;
}

}  // namespace journal
