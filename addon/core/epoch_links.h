#ifndef CERTWIRE_CORE_EPOCH_LINKS_H_
#define CERTWIRE_CORE_EPOCH_LINKS_H_

#include <optional>

#include "catalog.h"
#include "scanner.h"

namespace journal {

/// Reads what the first frames of epochs say about the epochs before them. Keeps count of reads
/// that fail, so that a place that stays unreadable counts as damage in the end.
class EpochLinks {
 public:
  explicit EpochLinks(FileSystem* files) : files_(files) {}

  /// The epoch that was the newest when epoch `of` of the catalog began; not `known` when its first
  /// frame is missing or damaged.
  Status ReadPrevious(const Catalog& catalog, const EpochKey& of, EpochKey* previous, bool* known);

  /// The epoch that a writer is in, or was in last, even if there are higher ones: segments may
  /// have been copied into the directory of a running CA. None when nothing names it, or when the
  /// epoch after the named one follows it: then its writer has failed to write its own name. A
  /// failure says nothing of a writer.
  Status FindWriter(const Catalog& catalog, std::optional<EpochKey>* writer);

 private:
  Status ReadFirstFrame(EpochKey* previous, bool* known);

  FileSystem* files_;
  SegmentScanner scanner_;  ///< open while reads of its segment fail
};

}  // namespace journal

#endif  // CERTWIRE_CORE_EPOCH_LINKS_H_
