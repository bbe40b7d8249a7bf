#include "batch_filler.h"

#include <algorithm>

#include "journal/cbor.h"
#include "journal/units.h"
#include "platform.h"

namespace journal {
namespace {

/// Longest pause between the GAP frames of one outage; it makes the reserved tail last for hours.
constexpr uint64_t kLongestGapPause = 600 * kNanosPerSecond;
/// Longest time that a GAP waits for the records before it.
constexpr uint64_t kLongestGapDelay = 5 * kNanosPerSecond;
/// The part of the reserved tail that GAP frames leave to MARK and SEAL.
constexpr uint64_t kSealBytes = 4 * kKibibyte;
constexpr size_t kMaxOwnPayload = 8192;
constexpr size_t kMaxEpochInfo = 4096;
constexpr size_t kSealPayload = 16;

void EncodeTimes(CborEncoder* encoder, const char* name, DurationRecorder* times) {
  encoder->Text(name);
  times->EncodeDelta(encoder);
}

}  // namespace

BatchFiller::~BatchFiller() {
  for (Buffer* records : {batch_.TakeRecords(), backlog_, shared_->list.TakeAll()}) {
    while (records != nullptr) {
      Buffer* next = records->next;
      shared_->pool.Release(records);
      records = next;
    }
  }
}

void BatchFiller::TakeNewRecords() {
  if (shared_->list.empty()) return;
  shared_->Unseal();
  Buffer* records = shared_->list.TakeAll();
  (backlog_last_ == nullptr ? backlog_ : backlog_last_->next) = records;
  while (records->next != nullptr) records = records->next;
  backlog_last_ = records;
}

void BatchFiller::FillBatch() {
  batch_.Begin(segments_->Place());
  overflow_ = 0;
  if (sequence_ == 0) AddEpochFrame();
  AddGaps();
  AddRecords();
  if (IsSealDue()) {
    AddSeal();
  } else if (IsMarkDue()) {
    AddMark();
  }
}

void BatchFiller::ReportUnflushed(uint64_t first, uint64_t last) {
  // With an earlier gap still waiting, one gap covers both.
  if (!flush_gap_.has_value()) flush_gap_.emplace().first_sequence = first;
  flush_gap_->reason = "flush-error";
  flush_gap_->last_sequence = last;
}

bool BatchFiller::FitsSegment(uint64_t bytes) {
  const bool fits = batch_end() + bytes <= segments_->end();
  if (!fits) overflow_ = std::max(overflow_, bytes);
  return fits;
}

FrameHeader BatchFiller::NextHeader(uint16_t type, uint16_t schema, uint64_t time,
                                    const uint8_t* payload, size_t size) {
  FrameHeader header;
  header.length = static_cast<uint32_t>(size);
  header.type = type;
  header.schema = schema;
  header.epoch = segments_->epoch();
  header.time = time;
  // A MARK takes no number: it repeats that of the frame before it.
  if (type != kMarkFrame) {
    ++sequence_;
    last_type_ = type;
  }
  header.sequence = sequence_;
  header.previous_hash = chain_;
  if (type == kEventFrame || type == kGapFrame) chain_ = ChainLink(header, payload);
  header.record_hash = chain_;
  return header;
}

void BatchFiller::AddOwnFrame(uint16_t type, uint16_t schema, const uint8_t* payload, size_t size) {
  batch_.AddFrame(NextHeader(type, schema, UtcTime(), payload, size), payload);
}

void BatchFiller::AddEpochFrame() {
  chain_ = ChainStart(segments_->Place().id, segments_->epoch());
  uint8_t payload[kMaxOwnPayload];
  CborEncoder encoder(payload, sizeof(payload));
  // Info that does not fit is left out: the epoch must begin.
  const bool has_info = options_.epoch_info_size != 0 && options_.epoch_info_size < kMaxEpochInfo;
  const bool has_previous = segments_->has_previous_epoch();
  encoder.Map((has_info ? 1u : 0u) + (has_previous ? 1u : 0u));
  if (has_info) {
    encoder.Text("info");
    encoder.Raw(options_.epoch_info, options_.epoch_info_size);
  }
  if (has_previous) {
    const SegmentHeader& previous = segments_->previous_epoch();
    encoder.Text("previous");
    encoder.Array(2);
    encoder.Uint(previous.epoch);
    encoder.Bytes(previous.id.bytes, kEpochIdSize);
  }
  AddOwnFrame(kEpochFrame, 1, payload, encoder.size());
}

bool BatchFiller::IsGapDue() const {
  if (shared_->drops.empty()) return false;
  if (backlog_ == nullptr && shared_->seal_wanted.load(std::memory_order_relaxed)) return true;
  if (MonotonicNanos() < next_gap_at_) return false;
  // In order of time, after the records that wait, unless these take too long.
  return backlog_ == nullptr || shared_->has_trouble() ||
         MonotonicNanos() > next_gap_at_ + kLongestGapDelay;
}

void BatchFiller::AddGaps() {
  if (flush_gap_.has_value()) AddGap(*flush_gap_);
  flush_gap_.reset();
  if (next_gap_at_ == 0 && !shared_->drops.empty()) next_gap_at_ = MonotonicNanos();
  if (!IsGapDue() || !FitsSegment(FrameSize(kMaxGapPayload) + kSealBytes)) return;
  shared_->Unseal();
  GapInfo gap;
  if (!shared_->drops.MoveTo(&gap)) return;
  AddGap(gap);
  gap_pause_ = shared_->has_trouble()
                   ? std::clamp(gap_pause_ * 2, kNanosPerSecond, kLongestGapPause)
                   : kNanosPerSecond;
  next_gap_at_ = MonotonicNanos() + gap_pause_;
}

void BatchFiller::AddGap(const GapInfo& gap) {
  uint8_t payload[kMaxGapPayload];
  AddOwnFrame(kGapFrame, kGapSchema, payload, EncodeGap(gap, payload));
}

void BatchFiller::AddRecords() {
  while (backlog_ != nullptr) {
    Buffer* record = backlog_;
    const uint64_t bytes = FrameSize(record->size);
    if (batch_end() + bytes > segments_->record_end()) {
      overflow_ = bytes;
      return;
    }
    if (!batch_.Fits(bytes)) return;
    backlog_ = record->next;
    if (backlog_ == nullptr) backlog_last_ = nullptr;
    batch_.AddRecord(record, NextHeader(kEventFrame, record->schema, record->time,
                                        record->payload(), record->size));
  }
}

void BatchFiller::AddMark() {
  if (!batch_.Fits(FrameSize(kMaxOwnPayload))) return;
  if (!FitsSegment(FrameSize(kMaxOwnPayload) + kSealBytes)) return;
  uint8_t payload[kMaxOwnPayload];
  CborEncoder encoder(payload, sizeof(payload));
  marked_ = flusher_->durable();
  encoder.Map(4);
  encoder.Text("seq");
  encoder.Uint(marked_);
  EncodeTimes(&encoder, "flush", &shared_->flush_times);
  EncodeTimes(&encoder, "write", &shared_->write_times);
  EncodeTimes(&encoder, "append", &shared_->append_times);
  AddOwnFrame(kMarkFrame, 1, payload, encoder.size());
}

bool BatchFiller::IsMarkDue() const {
  return flusher_->durable() > marked_ && last_type_ != kSealFrame;
}

bool BatchFiller::IsSealDue() const {
  return shared_->seal_wanted.load(std::memory_order_acquire) && batch_.empty() &&
         backlog_ == nullptr && shared_->list.empty() && shared_->drops.empty() && sequence_ != 0 &&
         last_type_ != kSealFrame && flusher_->durable() == sequence_;
}

bool BatchFiller::IsSealUnpublished() const {
  return last_type_ == kSealFrame && flusher_->durable() == sequence_ &&
         shared_->sealed.load(std::memory_order_relaxed) == 0;
}

void BatchFiller::AddSeal() {
  if (!FitsSegment(FrameSize(kSealPayload))) return;
  uint8_t payload[kSealPayload];
  CborEncoder encoder(payload, sizeof(payload));
  encoder.Map(1);
  encoder.Text("seq");
  encoder.Uint(sequence_ + 1);
  AddOwnFrame(kSealFrame, 1, payload, encoder.size());
}

}  // namespace journal
