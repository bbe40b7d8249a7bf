#include "batch_builder.h"

#include <string>

#include "hex.h"

namespace journal {

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

Entry& BatchBuilder::AddEntry(const uint8_t* payload, size_t size, const EntryPlace& after) {
  const std::string id = HexOf(after.epoch.id);
  if (batch_->epoch_ids.empty() || batch_->epoch_ids.back() != id) batch_->epoch_ids.push_back(id);
  Entry& entry = batch_->entries.emplace_back();
  entry.epoch_number = after.epoch.number;
  entry.epoch_row = static_cast<uint32_t>(batch_->epoch_ids.size() - 1);
  entry.payload_offset = batch_->payloads.size();
  entry.payload_size = size;
  entry.segment = after.segment;
  entry.offset = after.offset;
  batch_->payloads.insert(batch_->payloads.end(), payload, payload + size);
  return entry;
}

void BatchBuilder::AddFrame(const FrameHeader& frame, const uint8_t* payload,
                            const EntryPlace& after) {
  Entry& entry = AddEntry(payload, frame.length, after);
  entry.type = frame.type;
  entry.schema = frame.schema;
  entry.sequence = frame.sequence;
  entry.time = frame.time;
  ++stats_->frames_read;
}

void BatchBuilder::AddGap(const GapInfo& gap, uint64_t time, const EntryPlace& after) {
  uint8_t payload[kMaxGapPayload];
  Entry& entry = AddEntry(payload, EncodeGap(gap, payload), after);
  entry.type = kGapFrame;
  entry.schema = kGapSchema;
  entry.index = kReaderGapIndex;
  entry.sequence = gap.first_sequence;
  entry.time = time;
  ++stats_->gaps_found;
}

}  // namespace journal
