#include "writer_lock.h"

#include <cstring>

#include "coding.h"
#include "journal/crc32c.h"

namespace journal {

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

}  // namespace journal
