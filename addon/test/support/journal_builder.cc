#include "support/journal_builder.h"

#include <cstring>

#include "journal/cbor.h"

using journal::CborEncoder;

namespace test {

std::string EventPayload(const std::string& text) {
  std::string payload(text.size() + 16, '\0');
  CborEncoder encoder(reinterpret_cast<uint8_t*>(payload.data()), payload.size());
  encoder.Map(1);
  encoder.Text("text");
  encoder.Text(text);
  payload.resize(encoder.size());
  return payload;
}

void JournalBuilder::Epoch(uint32_t number, uint8_t fill, uint64_t segment_size) {
  previous_ = epoch_;
  previous_id_ = id_;
  epoch_ = number;
  std::memset(id_.bytes, fill, sizeof(id_.bytes));
  sequence_ = 0;
  chain_.assign(1, journal::ChainStart(id_, epoch_));
  index_ = UINT32_MAX;
  Segment(segment_size);
  std::vector<uint8_t> payload(64);
  CborEncoder encoder(payload.data(), payload.size());
  encoder.Map(previous_ == 0 ? 0 : 1);
  if (previous_ != 0) {
    encoder.Text("previous");
    encoder.Array(2);
    encoder.Uint(previous_);
    encoder.Bytes(previous_id_.bytes, sizeof(previous_id_.bytes));
  }
  payload.resize(encoder.size());
  Frame(journal::kEpochFrame, 1, payload);
}

void JournalBuilder::Segment(uint64_t segment_size, uint32_t skip) {
  index_ += 1 + skip;
  journal::SegmentHeader header;
  header.epoch = epoch_;
  header.id = id_;
  header.index = index_;
  header.first_sequence = sequence_ + 1;
  header.time = time_;
  header.size = segment_size;
  header.filled = true;
  auto& content = (*files_)[path()];
  content.assign(segment_size, 0);
  journal::EncodeSegmentHeader(header, content.data());
  offset_ = journal::kSegmentHeaderSize;
}

std::string JournalBuilder::path() const {
  char name[journal::kSegmentNameSize];
  journal::FormatSegmentName(epoch_, index_, name);
  return directory_ + "/" + name;
}

void JournalBuilder::Frame(uint16_t type, uint16_t schema, const std::vector<uint8_t>& payload) {
  if (type != journal::kMarkFrame) ++sequence_;
  time_ += 10000;
  journal::FrameHeader header;
  header.length = static_cast<uint32_t>(payload.size());
  header.payload_crc = journal::PayloadCrc(id_, payload.data(), payload.size());
  header.epoch = epoch_;
  header.sequence = sequence_;
  header.time = time_;
  header.type = type;
  header.schema = schema;
  header.previous_hash = chain_.back();
  if (type == journal::kEventFrame || type == journal::kGapFrame) {
    header.record_hash = journal::ChainLink(header, payload.data());
  } else {
    header.record_hash = header.previous_hash;
  }
  if (type != journal::kMarkFrame) chain_.push_back(header.record_hash);
  auto& content = (*files_)[path()];
  journal::EncodeFrameHeader(header, {id_, index_, offset_}, content.data() + offset_);
  std::memcpy(content.data() + offset_ + journal::kFrameHeaderSize, payload.data(), payload.size());
  offset_ += journal::FrameSize(payload.size());
}

void JournalBuilder::Event(const std::string& text) {
  const std::string payload = EventPayload(text);
  Frame(journal::kEventFrame, 1, {payload.begin(), payload.end()});
}

void JournalBuilder::Gap(const journal::GapInfo& gap) {
  std::vector<uint8_t> payload(journal::kMaxGapPayload);
  payload.resize(journal::EncodeGap(gap, payload.data()));
  Frame(journal::kGapFrame, journal::kGapSchema, payload);
}

void JournalBuilder::Mark() {
  std::vector<uint8_t> payload(32);
  CborEncoder encoder(payload.data(), payload.size());
  encoder.Map(1);
  encoder.Text("seq");
  encoder.Uint(sequence_);
  payload.resize(encoder.size());
  Frame(journal::kMarkFrame, 1, payload);
}

void JournalBuilder::Seal() {
  std::vector<uint8_t> payload(32);
  CborEncoder encoder(payload.data(), payload.size());
  encoder.Map(1);
  encoder.Text("seq");
  encoder.Uint(sequence_ + 1);
  payload.resize(encoder.size());
  Frame(journal::kSealFrame, 1, payload);
}

}  // namespace test
