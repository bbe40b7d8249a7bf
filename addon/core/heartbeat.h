#ifndef CERTWIRE_CORE_HEARTBEAT_H_
#define CERTWIRE_CORE_HEARTBEAT_H_

#include <cstdint>

#include "journal/file.h"
#include "journal/units.h"
#include "journal/writer_beat.h"
#include "segment.h"

namespace journal {

/// Time between two beats.
inline constexpr uint64_t kBeatNanos = 10 * kNanosPerSecond;

/// Writes the writer's signs of life into its lock file. Used by the writer's thread only.
class Heartbeat {
 public:
  /// `id`: of the epoch; must outlive this.
  explicit Heartbeat(const EpochId& id) : id_(id) {}

  /// Writes a beat when one is due: every 10 s, and at once when a writer that was well is so no
  /// longer. A beat that cannot be written is tried again at the next due time. `now` is
  /// MonotonicNanos; of `vitals` the number is ignored.
  void BeatIfDue(File* lock, uint64_t now, const WriterBeat& vitals);

 private:
  const EpochId& id_;
  uint64_t due_ = 0;
  bool has_both_slots_ = false;  ///< none is left of the writer before
  WriterBeat last_;
};

}  // namespace journal

#endif  // CERTWIRE_CORE_HEARTBEAT_H_
