#ifndef CERTWIRE_CORE_EPOCH_VIEW_H_
#define CERTWIRE_CORE_EPOCH_VIEW_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "catalog.h"
#include "read_place.h"

namespace journal {

/// What the last listing of the directory says about the epoch that the reader is in.
class EpochView {
 public:
  using NumberedEpoch = std::pair<const EpochKey, CatalogEpoch>;

  /// `place` must outlive the view.
  EpochView(FileSystem* files, std::string directory, const ReadPlace* place)
      : files_(files), catalog_(files, std::move(directory)), place_(place) {}

  /// Lists the directory again.
  Status Refresh();
  const Catalog& catalog() const { return catalog_; }

  /// The epoch that the reader is in; null when it is not in the directory.
  const CatalogEpoch* Current() const;
  /// The epoch after it, which means that it has ended; null while it is live.
  const NumberedEpoch* Next();
  /// Forgets which epoch has a writer; the reader has entered another one.
  void ForgetWriter() { has_writer_.reset(); }
  /// True while a segment in [from, before) cannot be read but may be soon: for up to 5 s, since a
  /// virus scanner may hold it.
  bool WaitsForUnreadable(SegmentPlace from, SegmentPlace before);

 private:
  bool HasWriter();

  FileSystem* files_;
  Catalog catalog_;
  const ReadPlace* place_;
  std::optional<bool> has_writer_;  ///< of this epoch; kept until the next listing or epoch
  uint64_t unreadable_since_ = 0;   ///< MonotonicNanos; 0: nothing is unreadable
};

}  // namespace journal

#endif  // CERTWIRE_CORE_EPOCH_VIEW_H_
