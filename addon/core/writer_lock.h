#ifndef CERTWIRE_CORE_WRITER_LOCK_H_
#define CERTWIRE_CORE_WRITER_LOCK_H_

#include <cstddef>
#include <cstdint>

#include "journal/writer_beat.h"
#include "segment.h"

namespace journal {

/// The file on which the writer of a directory holds its lock, and in which it names its epoch.
inline constexpr char kWriterLockName[] = "writer.lock";
/// Not at the start: on Windows no other process can read byte 0, which is locked.
inline constexpr uint64_t kLockedEpochOffset = 64;
inline constexpr size_t kLockedEpochSize = 24;
/// Places of the beats in the lock file: two slots, so that one is whole while the other is
/// written.
inline constexpr uint64_t kBeatsOffset = 128;
inline constexpr size_t kBeatSlotSize = 64;
inline constexpr size_t kBeatsSize = 2 * kBeatSlotSize;

/// Identity of an epoch; the order is the order of reading.
struct EpochKey {
  uint32_t number = 0;
  EpochId id;
  auto operator<=>(const EpochKey&) const = default;
};

/// Writes the kLockedEpochSize bytes that name an epoch.
void EncodeLockedEpoch(const EpochKey& epoch, uint8_t* to);
/// Reads them out of `size` bytes; false when they name none.
bool DecodeLockedEpoch(const uint8_t* from, size_t size, EpochKey* epoch);

/// Writes the kBeatSlotSize bytes of a beat; `id` is that of its writer's epoch.
void EncodeBeat(const EpochId& id, const WriterBeat& beat, uint8_t* to);
/// Reads a slot; false when no beat is in it.
bool DecodeBeat(const uint8_t* from, WriterBeat* beat);

}  // namespace journal

#endif  // CERTWIRE_CORE_WRITER_LOCK_H_
