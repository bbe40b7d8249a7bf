#include "segment.h"

#include "coding.h"
#include "journal/crc32c.h"

namespace journal {
namespace {

constexpr size_t kHeaderCrcOffset = 96;
constexpr size_t kPreviousHashOffset = 40;
constexpr size_t kRecordHashOffset = kPreviousHashOffset + kSha256Size;
static_assert(kRecordHashOffset + kSha256Size == kFrameHeaderSize);

void EncodeHeaderCopy(const SegmentHeader& header, uint8_t* to) {
  std::memcpy(to, kMagic, sizeof(kMagic));
  Put(to + 8, header.version);
  Put(to + 10, header.min_reader_version);
  Put(to + 12, header.epoch);
  std::memcpy(to + 16, header.id.bytes, kEpochIdSize);
  Put(to + 32, header.index);
  Put(to + 36, static_cast<uint32_t>(kSegmentHeaderSize));
  Put(to + 40, header.first_sequence);
  Put(to + 48, header.time);
  Put(to + 56, header.size);
  Put(to + 64, static_cast<uint32_t>(header.filled ? kSegmentFilled : 0));
  Put(to + 72, header.max_journal_bytes);
  Put(to + 80, header.min_free_bytes);
  Put(to + kHeaderCrcOffset, Crc32c(to, kHeaderCrcOffset));
}

bool DecodeHeaderCopy(const uint8_t* from, SegmentHeader* header) {
  if (std::memcmp(from, kMagic, sizeof(kMagic)) != 0) return false;
  if (Get<uint32_t>(from + kHeaderCrcOffset) != Crc32c(from, kHeaderCrcOffset)) return false;
  header->version = Get<uint16_t>(from + 8);
  header->min_reader_version = Get<uint16_t>(from + 10);
  header->epoch = Get<uint32_t>(from + 12);
  std::memcpy(header->id.bytes, from + 16, kEpochIdSize);
  header->index = Get<uint32_t>(from + 32);
  header->first_sequence = Get<uint64_t>(from + 40);
  header->time = Get<uint64_t>(from + 48);
  header->size = Get<uint64_t>(from + 56);
  header->filled = (Get<uint32_t>(from + 64) & kSegmentFilled) != 0;
  header->max_journal_bytes = Get<uint64_t>(from + 72);
  header->min_free_bytes = Get<uint64_t>(from + 80);
  return Get<uint32_t>(from + 36) == kSegmentHeaderSize;
}

uint32_t HeaderCrc(const uint8_t* frame, const FramePlace& place) {
  uint8_t seed[kEpochIdSize + 12];
  std::memcpy(seed, place.id.bytes, kEpochIdSize);
  Put(seed + 16, place.index);
  Put(seed + 20, place.offset);
  uint32_t crc = Crc32c(seed, sizeof(seed));
  crc = Crc32c(frame, 4, crc);
  return Crc32c(frame + 8, kFrameHeaderSize - 8, crc);
}

bool ParseDigits(const char* text, int count, uint64_t* value) {
  *value = 0;
  for (int i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    *value = *value * 10 + static_cast<uint64_t>(text[i] - '0');
  }
  return true;
}

void FormatDigits(uint32_t value, int count, char* text) {
  for (int i = count - 1; i >= 0; --i, value /= 10) text[i] = static_cast<char>('0' + value % 10);
}

}  // namespace

void EncodeSegmentHeader(const SegmentHeader& header, uint8_t* page) {
  std::memset(page, 0, kSegmentHeaderSize);
  for (const size_t offset : kHeaderCopyOffsets) EncodeHeaderCopy(header, page + offset);
}

bool DecodeSegmentHeader(const uint8_t* page, size_t size, SegmentHeader* header) {
  for (const size_t offset : kHeaderCopyOffsets) {
    if (size >= offset + kHeaderCopySize && DecodeHeaderCopy(page + offset, header)) return true;
  }
  return false;
}

uint32_t PayloadCrc(const EpochId& id, const uint8_t* payload, size_t size) {
  return Crc32c(payload, size, Crc32c(id.bytes, kEpochIdSize));
}

void EncodeFrameHeader(const FrameHeader& header, const FramePlace& place, uint8_t* to) {
  Put(to, header.length);
  Put(to + 8, header.payload_crc);
  Put(to + 12, header.epoch);
  Put(to + 16, header.sequence);
  Put(to + 24, header.time);
  Put(to + 32, header.type);
  Put(to + 34, header.flags);
  Put(to + 36, header.schema);
  Put(to + 38, uint16_t{0});
  std::memcpy(to + kPreviousHashOffset, header.previous_hash.bytes, kSha256Size);
  std::memcpy(to + kRecordHashOffset, header.record_hash.bytes, kSha256Size);
  MoveFrameHeader(to, place);
}

void MoveFrameHeader(uint8_t* frame, const FramePlace& place) {
  Put(frame + 4, HeaderCrc(frame, place));
}

bool DecodeFrameHeader(const uint8_t* from, const FramePlace& place, FrameHeader* header) {
  header->length = Get<uint32_t>(from);
  if (header->length == 0 || header->length > kMaxPayload) return false;
  if (Get<uint32_t>(from + 4) != HeaderCrc(from, place)) return false;
  header->payload_crc = Get<uint32_t>(from + 8);
  header->epoch = Get<uint32_t>(from + 12);
  header->sequence = Get<uint64_t>(from + 16);
  header->time = Get<uint64_t>(from + 24);
  header->type = Get<uint16_t>(from + 32);
  header->flags = Get<uint16_t>(from + 34);
  header->schema = Get<uint16_t>(from + 36);
  std::memcpy(header->previous_hash.bytes, from + kPreviousHashOffset, kSha256Size);
  std::memcpy(header->record_hash.bytes, from + kRecordHashOffset, kSha256Size);
  return header->sequence - 1 < kMaxSequence;
}

void FormatSegmentName(uint32_t epoch, uint32_t index, char name[kSegmentNameSize]) {
  std::memcpy(name, "e0000000000-s000000.cej", kSegmentNameSize);
  FormatDigits(epoch, 10, name + 1);
  FormatDigits(index, 6, name + 13);
}

bool ParseSegmentName(const char* name, uint32_t* epoch, uint32_t* index) {
  uint64_t epoch_value;
  uint64_t index_value;
  if (std::strlen(name) != kSegmentNameSize - 1 || name[0] != 'e' ||
      std::memcmp(name + 11, "-s", 2) != 0 || std::strcmp(name + 19, ".cej") != 0 ||
      !ParseDigits(name + 1, 10, &epoch_value) || !ParseDigits(name + 13, 6, &index_value) ||
      epoch_value > UINT32_MAX) {
    return false;
  }
  *epoch = static_cast<uint32_t>(epoch_value);
  *index = static_cast<uint32_t>(index_value);
  return true;
}

}  // namespace journal
