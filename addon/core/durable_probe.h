#ifndef CERTWIRE_CORE_DURABLE_PROBE_H_
#define CERTWIRE_CORE_DURABLE_PROBE_H_

#include <cstdint>

#include "catalog.h"
#include "scanner.h"

namespace journal {

/// Runs ahead of a reader in the live epoch and looks for MARK and SEAL frames: what they cover may
/// be handed out. Every byte is looked at once.
class DurableProbe {
 public:
  explicit DurableProbe(FileSystem* files) : files_(files) {}

  /// Starts again in another epoch.
  void Reset();
  /// Moves on until something covers `target` or there is no frame any more. Starts at `segment`,
  /// `offset` when it is behind that.
  Status Advance(const Catalog& catalog, const CatalogEpoch& epoch, uint32_t segment,
                 uint64_t offset, uint64_t target);

  /// Everything up to this sequence is durable.
  uint64_t durable() const { return durable_; }
  /// Last sequence met.
  uint64_t last() const { return last_; }

 private:
  Status Step(const Catalog& catalog, const CatalogEpoch& epoch, bool* moved);
  Status OpenSegment(const Catalog& catalog, const CatalogSegment& segment);
  Status Take(const FrameHeader& frame);

  FileSystem* files_;
  SegmentScanner scanner_;
  uint32_t segment_ = 0;
  uint64_t offset_ = 0;
  uint64_t durable_ = 0;
  uint64_t last_ = 0;
};

}  // namespace journal

#endif  // CERTWIRE_CORE_DURABLE_PROBE_H_
