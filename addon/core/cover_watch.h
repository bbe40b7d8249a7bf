#ifndef CERTWIRE_CORE_COVER_WATCH_H_
#define CERTWIRE_CORE_COVER_WATCH_H_

#include <cstdint>

#include "durable_probe.h"
#include "epoch_view.h"
#include "journal/reader.h"
#include "read_place.h"

namespace journal {

/// Decides when a frame of the live epoch may be handed out: when a MARK or SEAL says that it is
/// durable, or when none has said so for a while.
class CoverWatch {
 public:
  /// `unmarked_after_ms`: how long a frame waits for a MARK. `stats` must outlive the watch.
  CoverWatch(FileSystem* files, uint32_t unmarked_after_ms, ReaderStats* stats)
      : probe_(files), unmarked_after_ms_(unmarked_after_ms), stats_(stats) {}

  /// Starts again in another epoch.
  void Reset();
  /// `covered`: the frame `sequence` at `place` may be handed out.
  Status IsCovered(const Catalog& catalog, const CatalogEpoch& epoch, const ReadPlace& place,
                   uint64_t sequence, bool* covered);

 private:
  bool HasWaitedLongEnough(uint64_t sequence);

  DurableProbe probe_;
  const uint64_t unmarked_after_ms_;
  ReaderStats* stats_;
  uint64_t watched_ = 0;  ///< sequence that has waited for a MARK since watched_since_; 0: none
  uint64_t watched_since_ = 0;
  uint64_t released_ = 0;  ///< may be handed out without a MARK up to here
};

}  // namespace journal

#endif  // CERTWIRE_CORE_COVER_WATCH_H_
