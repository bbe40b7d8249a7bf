#include "chain.h"

#include <cstring>

#include "coding.h"
#include "segment.h"

namespace journal {

ChainValue ChainStart(const EpochId& id, uint32_t epoch) {
  uint8_t start[kEpochIdSize + 4];
  std::memcpy(start, id.bytes, kEpochIdSize);
  Put(start + kEpochIdSize, epoch);
  Sha256 hash;
  hash.Update(start, sizeof(start));
  ChainValue value;
  hash.Finish(value.bytes);
  return value;
}

ChainValue ChainLink(const FrameHeader& header, const uint8_t* payload) {
  uint8_t head[kSha256Size + 28];
  std::memcpy(head, header.previous_hash.bytes, kSha256Size);
  uint8_t* fields = head + kSha256Size;
  Put(fields, header.length);
  Put(fields + 4, header.epoch);
  Put(fields + 8, header.sequence);
  Put(fields + 16, header.time);
  Put(fields + 24, header.type);
  Put(fields + 26, header.schema);
  Sha256 hash;
  hash.Update(head, sizeof(head));
  hash.Update(payload, header.length);
  ChainValue value;
  hash.Finish(value.bytes);
  return value;
}

}  // namespace journal
