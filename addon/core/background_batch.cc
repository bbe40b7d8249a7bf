// What goes into the next batch of a writer's background thread.
#include <algorithm>

#include "background.h"
#include "journal/cbor.h"

namespace journal {
namespace {

constexpr uint64_t kSecond = 1000000000;
/// Longest pause between the GAP frames of one outage; it makes the reserved tail last for hours.
constexpr uint64_t kLongestGapPause = 600 * kSecond;
/// Longest time that a GAP waits for the records before it.
constexpr uint64_t kLongestGapDelay = 5 * kSecond;
/// Of the reserved tail, what GAP frames leave to MARK and SEAL.
constexpr uint64_t kSealRoom = 4096;
constexpr size_t kMaxOwnPayload = 8192;
constexpr size_t kSealPayload = 16;

void EncodeTimes(CborEncoder* encoder, const char* name, DurationRecorder* times) {
  encoder->Text(name);
  times->EncodeDelta(encoder);
}

}  // namespace

void Background::FillBatch() {
  batch_.Begin(Place());
  needed_ = 0;
  if (sequence_ == 0) AddEpochFrame();
  AddGaps();
  AddRecords();
  if (SealDue()) {
    AddSeal();
  } else if (MarkDue()) {
    AddMark();
  }
}

bool Background::HasRoom(uint64_t bytes) {
  const bool room = offset_ + batch_.size() + bytes <= size_;
  if (!room) needed_ = std::max(needed_, bytes);
  return room;
}

void Background::AddOwnFrame(uint16_t type, uint16_t schema, const uint8_t* payload, size_t size) {
  FrameHeader header;
  header.type = type;
  header.schema = schema;
  header.epoch = store_.epoch();
  header.time = UtcTime();
  // A MARK is no record: it repeats the number of the frame before it.
  if (type != kMarkFrame) {
    ++sequence_;
    last_type_ = type;
  }
  header.sequence = sequence_;
  batch_.AddFrame(header, payload, size);
}

void Background::AddEpochFrame() {
  uint8_t payload[kMaxOwnPayload];
  CborEncoder encoder(payload, sizeof(payload));
  // What does not fit is left out: the epoch must begin.
  const bool has_info = options_.epoch_info_size != 0 && options_.epoch_info_size < 4096;
  encoder.Map((has_info ? 1u : 0u) + (store_.has_previous() ? 1u : 0u));
  if (has_info) {
    encoder.Text("info");
    encoder.Raw(options_.epoch_info, options_.epoch_info_size);
  }
  if (store_.has_previous()) {
    encoder.Text("previous");
    encoder.Array(2);
    encoder.Uint(store_.previous().epoch);
    encoder.Bytes(store_.previous().id.bytes, kEpochIdSize);
  }
  AddOwnFrame(kEpochFrame, 1, payload, encoder.size());
}

bool Background::GapDue() const {
  if (shared_->drops.empty()) return false;
  if (backlog_ == nullptr && shared_->seal_wanted.load(std::memory_order_relaxed)) return true;
  if (MonotonicNanos() < next_gap_at_) return false;
  // In order of time behind the records that wait, unless these take too long.
  return backlog_ == nullptr || shared_->trouble.load() != Trouble::kNone ||
         MonotonicNanos() > next_gap_at_ + kLongestGapDelay;
}

void Background::AddGaps() {
  if (has_flush_gap_) AddGap(flush_gap_);
  has_flush_gap_ = false;
  if (next_gap_at_ == 0 && !shared_->drops.empty()) next_gap_at_ = MonotonicNanos();
  if (!GapDue() || !HasRoom(FrameSize(kMaxGapPayload) + kSealRoom)) return;
  Unseal();
  GapInfo gap;
  if (!shared_->drops.Take(&gap)) return;
  AddGap(gap);
  const bool trouble = shared_->trouble.load() != Trouble::kNone;
  gap_pause_ = trouble ? std::clamp(gap_pause_ * 2, kSecond, kLongestGapPause) : kSecond;
  next_gap_at_ = MonotonicNanos() + gap_pause_;
}

void Background::AddGap(const GapInfo& gap) {
  uint8_t payload[kMaxGapPayload];
  AddOwnFrame(kGapFrame, kGapSchema, payload, EncodeGap(gap, payload));
}

void Background::AddRecords() {
  while (backlog_ != nullptr) {
    Buffer* record = backlog_;
    const uint64_t bytes = FrameSize(record->size);
    if (offset_ + batch_.size() + bytes > RecordLimit()) {
      needed_ = bytes;
      return;
    }
    if (!batch_.Fits(bytes)) return;
    backlog_ = record->next;
    if (backlog_ == nullptr) backlog_last_ = nullptr;
    FrameHeader header;
    header.type = kEventFrame;
    header.schema = record->schema;
    header.epoch = store_.epoch();
    header.time = record->time;
    header.sequence = ++sequence_;
    last_type_ = kEventFrame;
    batch_.AddRecord(record, header);
  }
}

void Background::AddMark() {
  if (!batch_.Fits(FrameSize(kMaxOwnPayload))) return;
  if (!HasRoom(FrameSize(kMaxOwnPayload) + kSealRoom)) return;
  uint8_t payload[kMaxOwnPayload];
  CborEncoder encoder(payload, sizeof(payload));
  marked_ = flusher_.durable();
  encoder.Map(4);
  encoder.Text("seq");
  encoder.Uint(marked_);
  EncodeTimes(&encoder, "flush", &shared_->flush_times);
  EncodeTimes(&encoder, "write", &shared_->write_times);
  EncodeTimes(&encoder, "append", &shared_->append_times);
  AddOwnFrame(kMarkFrame, 1, payload, encoder.size());
}

bool Background::MarkDue() const {
  return flusher_.durable() > marked_ && last_type_ != kSealFrame;
}

bool Background::SealDue() const {
  return shared_->seal_wanted.load(std::memory_order_acquire) && batch_.empty() &&
         backlog_ == nullptr && shared_->list.empty() && shared_->drops.empty() && sequence_ != 0 &&
         last_type_ != kSealFrame && flusher_.durable() == sequence_;
}

void Background::AddSeal() {
  if (!HasRoom(FrameSize(kSealPayload))) return;
  uint8_t payload[kSealPayload];
  CborEncoder encoder(payload, sizeof(payload));
  encoder.Map(1);
  encoder.Text("seq");
  encoder.Uint(sequence_ + 1);
  AddOwnFrame(kSealFrame, 1, payload, encoder.size());
}

}  // namespace journal
