#include "heartbeat.h"

#include <cstring>

#include "writer_lock.h"

namespace journal {

void Heartbeat::BeatIfDue(File* lock, uint64_t now, const WriterBeat& vitals) {
  WriterBeat beat = vitals;
  if (beat.condition == static_cast<uint32_t>(WriterCondition::kOk) &&
      beat.dropped > last_.dropped) {
    beat.condition = static_cast<uint32_t>(WriterCondition::kDropping);
  }
  const bool got_worse = last_.condition == 0 && beat.condition != 0;
  if (now < due_ && !got_worse) return;
  due_ = now + kBeatNanos;
  beat.number = last_.number + 1;
  last_ = beat;
  uint8_t slots[kBeatsSize];
  EncodeBeat(id_, beat, slots);
  std::memcpy(slots + kBeatSlotSize, slots, kBeatSlotSize);
  if (!has_both_slots_) {
    has_both_slots_ = lock->WriteAt(kBeatsOffset, slots, kBeatsSize).ok();
    return;
  }
  // Without a beat a reader sees that there is none, which is all that can be done about it.
  static_cast<void>(
      lock->WriteAt(kBeatsOffset + beat.number % 2 * kBeatSlotSize, slots, kBeatSlotSize));
}

}  // namespace journal
