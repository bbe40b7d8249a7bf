#include "batch_builder.h"

#include <string>

#include "hex.h"

namespace journal {

static_assert(kEntryHashBytes == 2 * kSha256Size);

void BatchBuilder::Begin(Batch* batch) {
  batch->payloads.clear();
  batch->entries.clear();
  batch->epoch_ids.clear();
  batch_ = batch;
}

bool BatchBuilder::HasSpace(size_t payload) const {
  if (empty()) return true;
  return batch_->entries.size() < max_frames_ && batch_->payloads.size() + payload <= max_bytes_;
}

Entry& BatchBuilder::AddEntry(const EntryPlace& after) {
  const std::string id = HexOf(after.epoch.id);
  if (batch_->epoch_ids.empty() || batch_->epoch_ids.back() != id) batch_->epoch_ids.push_back(id);
  Entry& entry = batch_->entries.emplace_back();
  entry.epoch_number = after.epoch.number;
  entry.epoch_row = static_cast<uint32_t>(batch_->epoch_ids.size() - 1);
  entry.segment = after.segment;
  entry.offset = after.offset;
  return entry;
}

void BatchBuilder::AddPayload(const uint8_t* payload, size_t size) {
  Entry& entry = batch_->entries.back();
  entry.payload_offset = batch_->payloads.size();
  entry.payload_size = size;
  AppendBytes(payload, size);
}

void BatchBuilder::AppendBytes(const uint8_t* bytes, size_t size) {
  batch_->payloads.insert(batch_->payloads.end(), bytes, bytes + size);
}

void BatchBuilder::AddFrame(const FrameHeader& frame, const uint8_t* payload, bool is_chain_broken,
                            const EntryPlace& after) {
  Entry& entry = AddEntry(after);
  AppendBytes(frame.previous_hash.bytes, kSha256Size);
  AppendBytes(frame.record_hash.bytes, kSha256Size);
  AddPayload(payload, frame.length);
  entry.is_chain_broken = is_chain_broken;
  entry.type = frame.type;
  entry.schema = frame.schema;
  entry.sequence = frame.sequence;
  entry.time = frame.time;
  ++stats_->frames_read;
}

void BatchBuilder::AddGap(const GapInfo& gap, uint64_t time, const EntryPlace& after) {
  uint8_t payload[kMaxGapPayload];
  Entry& entry = AddEntry(after);
  AddPayload(payload, EncodeGap(gap, payload));
  entry.type = kGapFrame;
  entry.schema = kGapSchema;
  entry.index = kReaderGapIndex;
  entry.sequence = gap.first_sequence;
  entry.time = time;
  ++stats_->gaps_found;
}

}  // namespace journal
