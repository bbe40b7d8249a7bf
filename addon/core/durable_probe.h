#ifndef CERTWIRE_CORE_DURABLE_PROBE_H_
#define CERTWIRE_CORE_DURABLE_PROBE_H_

#include <compare>
#include <cstdint>

#include "catalog.h"
#include "scanner.h"

namespace journal {

/// A place in an epoch; the order is the order of reading.
struct ProbePlace {
  uint32_t segment = 0;
  uint64_t offset = 0;
  auto operator<=>(const ProbePlace&) const = default;
};

/// Runs ahead of a reader in the live epoch and searches for MARK and SEAL frames: what they cover
/// may be handed out. Every byte is read once.
class DurableProbe {
 public:
  explicit DurableProbe(FileSystem* files) : files_(files) {}

  /// Starts again in another epoch.
  void Reset();
  /// Moves on until something covers the sequence `target` or no frame is left. Goes to `from`
  /// first if it has not reached that place.
  Status AdvanceTo(const Catalog& catalog, const CatalogEpoch& epoch, const ProbePlace& from,
                   uint64_t target);

  /// Everything up to this sequence is durable.
  uint64_t durable() const { return durable_; }
  /// The highest sequence read.
  uint64_t last() const { return last_; }

 private:
  Status StepToNextFrame(const Catalog& catalog, const CatalogEpoch& epoch, bool* moved);
  Status OpenSegment(const Catalog& catalog, const CatalogSegment& segment);
  Status NoteFrame(const FrameHeader& frame);

  FileSystem* files_;
  SegmentScanner scanner_;
  ProbePlace place_;
  uint64_t durable_ = 0;
  uint64_t last_ = 0;
};

}  // namespace journal

#endif  // CERTWIRE_CORE_DURABLE_PROBE_H_
