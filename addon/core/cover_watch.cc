#include "cover_watch.h"

#include <algorithm>

#include "journal/units.h"
#include "platform.h"

namespace journal {

void CoverWatch::Reset() {
  probe_.Reset();
  watched_ = released_ = 0;
}

Status CoverWatch::IsCovered(const Catalog& catalog, const CatalogEpoch& epoch,
                             const ReadPlace& place, uint64_t sequence, bool* covered) {
  const Status status = probe_.AdvanceTo(catalog, epoch, {place.segment, place.offset}, sequence);
  if (!status.ok()) return status;
  *covered = probe_.durable() >= sequence || HasWaitedLongEnough(sequence);
  return status;
}

bool CoverWatch::HasWaitedLongEnough(uint64_t sequence) {
  const uint64_t now = MonotonicNanos();
  if (sequence > released_ && watched_ != 0 &&
      now - watched_since_ >= unmarked_after_ms_ * kNanosPerMillisecond) {
    released_ = watched_;
    watched_ = 0;
  }
  if (sequence <= released_) {
    ++stats_->unmarked_frames;
    return true;
  }
  if (watched_ == 0 || probe_.durable() >= watched_) {
    watched_ = std::max(probe_.last(), sequence);
    watched_since_ = now;
  }
  return false;
}

}  // namespace journal
