#include "journal/writer.h"

#include <cstring>
#include <memory>
#include <new>

#include "journal/file.h"
#include "journal/units.h"
#include "platform.h"
#include "writer_shared.h"
#include "writer_thread.h"

namespace journal {
namespace {

/// How often an appender looks for its commit before it sleeps; about the time of a fast write.
constexpr int kSpins = 200;
constexpr int64_t kSealPollUs = 10000;
/// An operation that takes longer than this hangs.
constexpr uint64_t kHungNanos = 2 * kNanosPerSecond;

/// A copy of bytes without exceptions.
class Copy {
 public:
  bool Assign(const void* data, size_t size) {
    bytes_.reset(new (std::nothrow) uint8_t[size + 1]);
    if (bytes_ == nullptr) return false;
    if (size != 0) std::memcpy(bytes_.get(), data, size);
    bytes_[size] = 0;
    return true;
  }
  const uint8_t* get() const { return bytes_.get(); }

 private:
  std::unique_ptr<uint8_t[]> bytes_;
};

class WriterCore final : public Writer {
 public:
  explicit WriterCore(const WriterOptions& given)
      : options(given),
        shared(given.max_outstanding_bytes),
        max_record(LargestRecord(given.max_journal_bytes, given.max_outstanding_bytes)),
        thread(options, given.file_system != nullptr ? given.file_system : DefaultFileSystem(),
               &shared) {}

  bool Prepare() {
    if (!CopyTexts() || !thread.Allocate()) return false;
    shared.pool.Reserve();
    shared.sleeps.OpenTimers();
    MakeEpochId();
    return true;
  }

  /// Leaves alone what appending threads read meanwhile.
  bool Configure(const WriterOptions& given) {
    options.directory = given.directory;
    options.first_segment_bytes = given.first_segment_bytes;
    options.max_segment_bytes = given.max_segment_bytes;
    options.max_journal_bytes = given.max_journal_bytes;
    options.min_free_bytes = given.min_free_bytes;
    options.epoch_info = given.epoch_info;
    options.epoch_info_size = given.epoch_info_size;
    shared.pool.SetMaxBytes(given.max_outstanding_bytes);
    max_record.store(LargestRecord(given.max_journal_bytes, given.max_outstanding_bytes));
    return CopyTexts();
  }

  bool WaitForCommit(Buffer* buffer);
  /// What is wrong with the disk, the worst first.
  void DescribeTrouble(WriterStats* stats) const;

  WriterOptions options;
  Copy directory;
  Copy info;
  WriterShared shared;
  std::atomic<uint64_t> max_record;
  WriterThread thread;
  std::atomic<uint64_t> appended{0};
  std::atomic<uint64_t> pending_returns{0};

 private:
  /// Makes the options own what they point to.
  bool CopyTexts() {
    const char* name = options.directory == nullptr ? "" : options.directory;
    if (!directory.Assign(name, std::strlen(name)) ||
        !info.Assign(options.epoch_info, options.epoch_info_size)) {
      return false;
    }
    options.directory = reinterpret_cast<const char*>(directory.get());
    options.epoch_info = info.get();
    return true;
  }

  void MakeEpochId() {
    if (RandomBytes(shared.id.bytes, kEpochIdSize)) return;
    // Without random bits of the system: time, and where this memory happens to lie.
    const uint64_t parts[2] = {UtcTime(), MonotonicNanos() ^ reinterpret_cast<uintptr_t>(this)};
    std::memcpy(shared.id.bytes, parts, kEpochIdSize);
  }
};

WriterCore* Core(Writer* writer) { return static_cast<WriterCore*>(writer); }
const WriterCore* Core(const Writer* writer) { return static_cast<const WriterCore*>(writer); }

bool Done(const Buffer* buffer) {
  return (buffer->state.load(std::memory_order_acquire) & kBufferDone) != 0;
}

/// Sleeps until the record is committed or `deadline` (MonotonicNanos) has passed.
bool SleepUntilDone(ShortSleeps* sleeps, Buffer* buffer, uint64_t deadline) {
  const uint32_t timer = sleeps->TakeTimer();
  const uint32_t waiting = kBufferWaiting | timer << ShortSleeps::kShift;
  buffer->state.fetch_or(waiting, std::memory_order_seq_cst);
  bool done = Done(buffer);
  for (uint64_t now = MonotonicNanos(); !done && now < deadline; now = MonotonicNanos()) {
    sleeps->Sleep(timer, &buffer->state, waiting,
                  static_cast<int64_t>((deadline - now) / kNanosPerMicrosecond + 1));
    done = Done(buffer);
  }
  sleeps->ReturnTimer(timer);
  return done;
}

bool WriterCore::WaitForCommit(Buffer* buffer) {
  if (options.commit_wait_us == 0 || shared.stuck.load(std::memory_order_relaxed)) return false;
  for (int i = 0; i < kSpins; ++i) {
    if (Done(buffer)) return true;
    RelaxProcessor();
  }
  const uint64_t deadline = MonotonicNanos() + options.commit_wait_us * kNanosPerMicrosecond;
  if (SleepUntilDone(&shared.sleeps, buffer, deadline)) return true;
  // Appends stop waiting until the writer has caught up: a stuck disk costs a thread one wait.
  shared.stuck.store(true, std::memory_order_relaxed);
  return false;
}

void WriterCore::DescribeTrouble(WriterStats* stats) const {
  const WriterTrouble trouble = thread.FindTrouble(kHungNanos);
  stats->last_os_error = static_cast<uint32_t>(trouble.os_error);
  stats->last_problem = trouble.what;
  stats->degraded = trouble.condition != WriterCondition::kOk;
}

bool IsTooLong(const char* directory) {
  return directory != nullptr && std::strlen(directory) > FilePath::kMaxDirectory;
}

}  // namespace

Writer* Writer::Create(const WriterOptions& options) {
  if (IsTooLong(options.directory)) return nullptr;
  auto* core = new (std::nothrow) WriterCore(options);
  if (core == nullptr || core->Prepare()) return core;
  delete core;
  return nullptr;
}

Status Writer::Configure(const WriterOptions& options) {
  if (IsTooLong(options.directory))
    return Status(Status::Code::kInvalid, "directory name too long");
  if (Core(this)->Configure(options)) return Status::Ok();
  return Status(Status::Code::kNoSpace, "memory is short");
}

size_t Writer::MaxRecordBytes() const {
  return static_cast<size_t>(Core(this)->max_record.load(std::memory_order_relaxed));
}

Status Writer::Start() { return Core(this)->thread.Start(); }

Buffer* Writer::Acquire(size_t size) { return Core(this)->shared.pool.Acquire(size); }

uint8_t* Writer::Data(Buffer* buffer) { return buffer->payload(); }

void Writer::Release(Buffer* buffer) { Core(this)->shared.pool.Release(buffer); }

AppendResult Writer::Append(Buffer* buffer, size_t size, uint64_t time, uint16_t schema,
                            int64_t request_id) {
  const uint64_t start = MonotonicNanos();
  WriterCore* core = Core(this);
  if (size == 0 || size > buffer->capacity) {
    CountDropped(time, request_id);
    Release(buffer);
    return AppendResult::kDropped;
  }
  buffer->size = static_cast<uint32_t>(size);
  buffer->time = time;
  buffer->schema = schema;
  buffer->request_id = request_id;
  buffer->payload_crc = PayloadCrc(core->shared.id, buffer->payload(), size);
  std::memset(buffer->payload() + size, 0, FrameSize(size) - kFrameHeaderSize - size);
  core->shared.list.Push(buffer);
  core->shared.bell.Ring();
  bool committed = core->WaitForCommit(buffer);
  if (!committed) {
    const uint32_t state = buffer->state.fetch_or(kBufferLeft, std::memory_order_acq_rel);
    committed = (state & kBufferDone) != 0;
  }
  if (committed) Release(buffer);
  core->appended.fetch_add(1, std::memory_order_relaxed);
  if (!committed) core->pending_returns.fetch_add(1, std::memory_order_relaxed);
  core->shared.append_times.Record(MonotonicNanos() - start);
  return committed ? AppendResult::kCommitted : AppendResult::kPending;
}

void Writer::CountDropped(uint64_t time, int64_t request_id) {
  WriterShared* shared = &Core(this)->shared;
  shared->drops.CountDrop(time, request_id, shared->trouble.load(std::memory_order_relaxed));
  shared->bell.Ring();
}

bool Writer::Shutdown(uint32_t timeout_ms) {
  WriterShared* shared = &Core(this)->shared;
  const uint64_t deadline = MonotonicNanos() + timeout_ms * kNanosPerMillisecond;
  shared->seal_wanted.store(true, std::memory_order_release);
  Core(this)->thread.Hurry();
  shared->bell.Ring();
  // In this order: what has left the list or the counter was taken after an Unseal.
  while (!shared->list.empty() || !shared->drops.empty() ||
         shared->sealed.load(std::memory_order_acquire) == 0) {
    const uint64_t now = MonotonicNanos();
    if (now >= deadline) return false;
    const auto left_us = static_cast<int64_t>((deadline - now) / kNanosPerMicrosecond + 1);
    const uint32_t sealed = shared->sealed.load(std::memory_order_relaxed);
    WaitOnWord(&shared->sealed, sealed, left_us < kSealPollUs ? left_us : kSealPollUs);
  }
  return true;
}

void Writer::Destroy(Writer* writer) {
  if (writer == nullptr) return;
  Core(writer)->thread.Stop();
  delete Core(writer);
}

const uint8_t* Writer::EpochIdBytes() const { return Core(this)->shared.id.bytes; }

WriterStats Writer::Stats() const {
  const WriterCore* core = Core(this);
  const WriterShared& shared = core->shared;
  WriterStats stats;
  stats.appended = core->appended.load(std::memory_order_relaxed);
  stats.committed = shared.committed.load(std::memory_order_relaxed);
  stats.pending_returns = core->pending_returns.load(std::memory_order_relaxed);
  stats.dropped = shared.drops.total();
  stats.durable_seq = core->thread.flusher().durable();
  stats.outstanding_bytes = shared.pool.outstanding();
  core->DescribeTrouble(&stats);
  stats.epoch = shared.epoch.load(std::memory_order_relaxed);
  stats.segment = shared.segment.load(std::memory_order_relaxed);
  return stats;
}

}  // namespace journal
