#include "flusher.h"

#include <algorithm>
#include <utility>

namespace journal {
namespace {

/// Longest pause after flushes that failed one after the other; each failure costs a segment.
constexpr uint64_t kLongestBackoffNanos = 60 * kNanosPerSecond;
constexpr int64_t kIdleFlusherWaitUs = 1000000;

}  // namespace

Flusher::~Flusher() { CloseBefore(nullptr); }

Status Flusher::Start() { return thread_.Start(Main, this); }

void Flusher::Stop() {
  stop_.store(true, std::memory_order_release);
  bell_.Ring();
  thread_.Join();
}

File* Flusher::Adopt(std::unique_ptr<SegmentFile> segment) {
  const LockGuard guard(&lock_);
  SegmentFile* added = segment.release();
  (last_ == nullptr ? first_ : last_->next) = added;
  last_ = added;
  return added->file.get();
}

void Flusher::NoteCommitted(uint64_t sequence) {
  committed_.store(sequence, std::memory_order_release);
  bell_.Ring();
}

void Flusher::Hurry() {
  hurry_.store(true, std::memory_order_release);
  bell_.Ring();
}

uint64_t Flusher::GiveUp(uint64_t sequence) {
  const uint64_t first = durable() + 1;
  durable_.store(sequence, std::memory_order_release);
  failed_.store(false, std::memory_order_release);
  return first;
}

void Flusher::Main(void* self) { static_cast<Flusher*>(self)->Run(); }

void Flusher::Run() {
  while (!stopping()) {
    const uint32_t ticket = bell_.Prepare();
    const uint64_t now = MonotonicNanos();
    const bool dirty = Dirty();
    const bool hurry = failures_ == 0 && hurry_.load(std::memory_order_acquire);
    if (dirty && (hurry || now >= next_flush_)) {
      bell_.Cancel();
      FlushOnce();
    } else if (spare_->HasWork(now)) {
      bell_.Cancel();
      spare_->DoOneStep();
    } else {
      const uint64_t pause = next_flush_ > now ? (next_flush_ - now) / kNanosPerMicrosecond + 1 : 0;
      // A dirty file is flushed by the clock; otherwise a ring says that there is something new.
      bell_.Wait(ticket, dirty ? static_cast<int64_t>(pause) : kIdleFlusherWaitUs);
    }
  }
}

void Flusher::FlushOnce() {
  const uint64_t target = committed();
  SegmentFile* first;
  SegmentFile* last;
  {
    const LockGuard guard(&lock_);
    first = first_;
    last = last_;
  }
  const bool flushed = FlushFiles(first, last);
  CloseBefore(last);
  uint64_t pause = interval_nanos_;
  if (flushed) {
    failures_ = 0;
    durable_.store(target, std::memory_order_release);
  } else {
    failures_ = std::min(failures_ + 1, 16u);
    pause = std::min(std::max(pause, kNanosPerMillisecond) << failures_, kLongestBackoffNanos);
    failed_.store(true, std::memory_order_release);
  }
  next_flush_ = MonotonicNanos() + pause;
  writer_bell_->Ring();
}

bool Flusher::FlushFiles(SegmentFile* first, const SegmentFile* last) {
  bool flushed = true;
  for (SegmentFile* segment = first;; segment = segment->next) {
    if (!segment->abandoned) flushed = FlushFile(segment) && flushed;
    if (segment == last) return flushed;
  }
}

bool Flusher::FlushFile(SegmentFile* segment) {
  // The flush of its zeros may have failed when it was already the writer's.
  if (segment->failed) return std::exchange(segment->reported, true);
  const uint64_t start = MonotonicNanos();
  busy_since_.store(start, std::memory_order_relaxed);
  const Status status = segment->file->Flush();
  busy_since_.store(0, std::memory_order_relaxed);
  times_->Record(MonotonicNanos() - start);
  last_error_.store(status.os_error(), std::memory_order_relaxed);
  last_what_.store(status.ok() ? "" : status.what(), std::memory_order_relaxed);
  segment->failed = segment->reported = !status.ok();
  return status.ok();
}

void Flusher::CloseBefore(SegmentFile* last) {
  SegmentFile* closing;
  {
    const LockGuard guard(&lock_);
    closing = std::exchange(first_, last);
  }
  while (closing != last) {
    SegmentFile* next = closing->next;
    delete closing;
    closing = next;
  }
}

}  // namespace journal
