#include "journal/reader.h"

#include <new>

#include "platform.h"
#include "reader_core.h"

namespace journal {
namespace {

/// Steps of one call, so that a call ends in bounded time when a lot of it hands out nothing.
constexpr int kMaxSteps = 100000;
/// How long a listed file may refuse to be opened before that is an error.
constexpr uint64_t kAbsentPatience = 5ull * 1000000000;

}  // namespace

std::unique_ptr<Reader> Reader::Open(ReaderOptions options) {
  return std::unique_ptr<Reader>(new (std::nothrow) ReaderCore(std::move(options)));
}

ReaderCore::ReaderCore(ReaderOptions options)
    : options_(std::move(options)),
      files_(options_.file_system != nullptr ? options_.file_system : DefaultFileSystem()),
      catalog_(files_, options_.directory),
      quarantine_(files_, options_.quarantine_directory),
      probe_(files_) {}

Status ReaderCore::Read(Batch* batch) {
  batch->payloads.clear();
  batch->entries.clear();
  batch->epoch_ids.clear();
  batch_ = batch;
  scanner_.Invalidate();
  Status status = List();
  if (!status.ok()) return status;
  Progress progress = Progress::kMoved;
  for (int i = 0; i < kMaxSteps && status.ok() && progress == Progress::kMoved; ++i) {
    status = Step(&progress);
  }
  batch_ = nullptr;
  if (!status.ok() || progress != Progress::kIdle || !batch->entries.empty()) listed_at_ = 0;
  // What was read before an error is handed out; the error comes again with the next call.
  return batch->entries.empty() ? status : Status::Ok();
}

Status ReaderCore::List() {
  // The listing comes before the reads: what it shows as ended gets no more frames. It may be an
  // older one: a reader that waits at the end looks at the open segment often, but at the whole
  // directory now and then only.
  const uint64_t now = MonotonicNanos();
  if (listed_at_ != 0 && now - listed_at_ < options_.relist_ms * kMillisecond) return Status::Ok();
  const Status status = catalog_.Refresh();
  writer_here_.reset();
  listed_at_ = status.ok() ? now : 0;
  return status;
}

Status ReaderCore::Step(Progress* progress) {
  const Status status = Move(progress);
  const bool passing =
      status.code() == Status::Code::kNotFound || status.code() == Status::Code::kBusy;
  if (!passing) {
    absent_since_ = 0;
    return status;
  }
  // Deleted, or held by a scanner, since the listing: the next one, or the next look, will tell.
  const uint64_t now = MonotonicNanos();
  if (absent_since_ == 0) absent_since_ = now;
  if (now - absent_since_ > kAbsentPatience) return status;
  *progress = Progress::kIdle;
  return Status::Ok();
}

Status ReaderCore::Move(Progress* progress) {
  *progress = Progress::kMoved;
  if (!located_) return Locate(progress);
  if (finished_) return EndEpoch(progress);
  if (!scanner_.is_open()) return OpenSegment(progress);
  return ReadFrame(progress);
}

bool ReaderCore::HasRoom(size_t payload) const {
  if (batch_->entries.empty()) return true;
  return batch_->entries.size() < options_.max_batch_frames &&
         batch_->payloads.size() + payload <= options_.max_batch_bytes;
}

Entry& ReaderCore::AddEntry(const uint8_t* payload, size_t size) {
  const std::string id = HexOf(key_.id);
  if (batch_->epoch_ids.empty() || batch_->epoch_ids.back() != id) batch_->epoch_ids.push_back(id);
  Entry& entry = batch_->entries.emplace_back();
  entry.epoch_number = key_.number;
  entry.epoch_row = static_cast<uint32_t>(batch_->epoch_ids.size() - 1);
  entry.payload_offset = batch_->payloads.size();
  entry.payload_size = size;
  batch_->payloads.insert(batch_->payloads.end(), payload, payload + size);
  return entry;
}

void ReaderCore::Emit(const FrameHeader& frame, const uint8_t* payload, uint32_t segment,
                      uint64_t offset) {
  Entry& entry = AddEntry(payload, frame.length);
  entry.type = frame.type;
  entry.schema = frame.schema;
  entry.sequence = frame.sequence;
  entry.time = frame.time;
  entry.segment = segment;
  entry.offset = offset;
  ++stats_.frames_read;
}

void ReaderCore::EmitGap(const GapInfo& gap, uint64_t time, uint32_t segment, uint64_t offset) {
  uint8_t payload[kMaxGapPayload];
  Entry& entry = AddEntry(payload, EncodeGap(gap, payload));
  entry.type = kGapFrame;
  entry.schema = kGapSchema;
  entry.index = kReaderGapIndex;
  entry.sequence = gap.first_sequence;
  entry.time = time;
  entry.segment = segment;
  entry.offset = offset;
  ++stats_.gaps_found;
}

}  // namespace journal
