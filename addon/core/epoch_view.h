#ifndef CERTWIRE_CORE_EPOCH_VIEW_H_
#define CERTWIRE_CORE_EPOCH_VIEW_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "catalog.h"
#include "epoch_links.h"
#include "read_place.h"
#include "step_result.h"

namespace journal {

/// What the last listing of the directory says about the epoch that the reader is in.
class EpochView {
 public:
  using NumberedEpoch = std::pair<const EpochKey, CatalogEpoch>;

  /// `place` must outlive the view.
  EpochView(FileSystem* files, std::string directory, const ReadPlace* place)
      : catalog_(files, std::move(directory)), links_(files), place_(place) {}

  /// Lists the directory again.
  Status Refresh();
  const Catalog& catalog() const { return catalog_; }

  /// The epoch that the reader is in; null when it is not in the directory.
  const CatalogEpoch* Current() const;
  /// The epoch after it, which means that it has ended; null while it is live.
  const NumberedEpoch* Next();
  /// Why the epoch has not been left for more than 5 s although there is another one: the lock file
  /// cannot be read, and the next epoch does not say that it follows. Ok otherwise.
  const Status& blocked() const { return blocked_; }
  /// Forgets which epoch has a writer; the reader has entered another one.
  void ForgetWriter() {
    has_writer_.reset();
    is_unsure_ = false;
    blocked_ = Status::Ok();
  }
  /// True while a segment in [from, before) cannot be read but may be soon: for up to 5 s, since a
  /// virus scanner may hold it.
  bool WaitsForUnreadable(SegmentPlace from, SegmentPlace before);
  /// For a reader that finds nothing from a place onwards, by default its own: kEnd, or kWaiting
  /// while a file that cannot be read just now may hold more.
  StepOutcome EndOrWait() { return EndOrWait({place_->epoch.number, place_->segment}); }
  StepOutcome EndOrWait(SegmentPlace from);

 private:
  bool HasWriter();
  bool IsFollowed();
  static bool IsRecent(uint64_t* since);

  Catalog catalog_;
  EpochLinks links_;
  const ReadPlace* place_;
  Status blocked_;
  std::optional<bool> has_writer_;  ///< of this epoch; kept until the next listing or epoch
  bool is_unsure_ = false;  ///< has_writer_ is a guess: the lock file may become readable soon
  uint64_t unreadable_since_ = 0;       ///< MonotonicNanos; 0: nothing is unreadable
  uint64_t lock_unreadable_since_ = 0;  ///< the same of the lock file
};

}  // namespace journal

#endif  // CERTWIRE_CORE_EPOCH_VIEW_H_
