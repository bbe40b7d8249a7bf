#include "writer_lock.h"

#include <cstring>

#include "coding.h"
#include "journal/crc32c.h"

namespace journal {
namespace {

constexpr size_t kBeatCrcOffset = kBeatSlotSize - 4;

}  // namespace

void EncodeLockedEpoch(const EpochKey& epoch, uint8_t* to) {
  Put(to, epoch.number);
  std::memcpy(to + 4, epoch.id.bytes, kEpochIdSize);
  Put(to + 20, Crc32c(to, 20));
}

bool DecodeLockedEpoch(const uint8_t* from, size_t size, EpochKey* epoch) {
  if (size < kLockedEpochSize || Get<uint32_t>(from + 20) != Crc32c(from, 20)) return false;
  epoch->number = Get<uint32_t>(from);
  std::memcpy(epoch->id.bytes, from + 4, kEpochIdSize);
  return true;
}

void EncodeBeat(const EpochId& id, const WriterBeat& beat, uint8_t* to) {
  std::memset(to, 0, kBeatSlotSize);
  std::memcpy(to, id.bytes, kEpochIdSize);
  Put(to + 16, beat.number);
  Put(to + 24, beat.time);
  Put(to + 32, beat.dropped);
  Put(to + 40, beat.waiting_bytes);
  Put(to + 48, beat.condition);
  Put(to + 52, beat.os_error);
  Put(to + kBeatCrcOffset, Crc32c(to, kBeatCrcOffset));
}

bool DecodeBeat(const uint8_t* from, WriterBeat* beat) {
  if (Get<uint32_t>(from + kBeatCrcOffset) != Crc32c(from, kBeatCrcOffset)) return false;
  beat->number = Get<uint64_t>(from + 16);
  beat->time = Get<uint64_t>(from + 24);
  beat->dropped = Get<uint64_t>(from + 32);
  beat->waiting_bytes = Get<uint64_t>(from + 40);
  beat->condition = Get<uint32_t>(from + 48);
  beat->os_error = Get<uint32_t>(from + 52);
  return beat->number != 0;
}

}  // namespace journal
