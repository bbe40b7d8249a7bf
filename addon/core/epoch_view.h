#ifndef CERTWIRE_CORE_EPOCH_VIEW_H_
#define CERTWIRE_CORE_EPOCH_VIEW_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "catalog.h"
#include "epoch_links.h"
#include "journal/units.h"
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

  /// Lists the directory again. `now`: MonotonicNanos.
  Status Refresh(uint64_t now);
  const Catalog& catalog() const { return catalog_; }

  /// The epoch that the reader is in; null when it is not in the directory.
  const CatalogEpoch* Current() const;
  /// The epoch after it, which means that it has ended; null while it is live.
  const NumberedEpoch* Next();
  /// Why the reader has waited for more than 5 s: the lock file cannot be read, and the next epoch
  /// does not say that it follows; or a segment cannot be opened. Ok otherwise.
  const Status& blocked() const { return blocked_; }
  /// Name of the segment that the reader waits for when that is why it is blocked; otherwise empty.
  const std::string& blocking_segment() const { return blocking_segment_; }
  /// Forgets which epoch has a writer; the reader has entered another one.
  void ForgetWriter() {
    has_writer_.reset();
    is_unsure_ = false;
    Unblock();
  }
  /// True while a segment in [from, before) cannot be read but may be later: one that cannot be
  /// opened, for as long as that lasts, since it may have records; one that is damaged, for 5 s.
  bool WaitsForUnreadable(SegmentPlace from, SegmentPlace before);
  /// For a reader that finds nothing from a place onwards, by default its own: kEnd, or kWaiting
  /// while a file that cannot be read just now may hold more.
  StepOutcome EndOrWait() { return EndOrWait({place_->epoch.number, place_->segment}); }
  StepOutcome EndOrWait(SegmentPlace from);

 private:
  bool HasWriter();
  bool IsFollowed();
  void Block(const UnreadableFile& file);
  void Unblock() {
    blocked_ = Status::Ok();
    blocking_segment_.clear();
  }
  bool IsRecent(uint64_t since) const { return listed_at_ - since < kPatienceNanos; }

  /// How long a virus scanner may hold a file before that is an error.
  static constexpr uint64_t kPatienceNanos = 5 * kNanosPerSecond;

  Catalog catalog_;
  EpochLinks links_;
  const ReadPlace* place_;
  Status blocked_;
  std::string blocking_segment_;
  std::optional<bool> has_writer_;  ///< of this epoch; kept until the next listing or epoch
  bool is_unsure_ = false;  ///< has_writer_ is a guess: the lock file may become readable soon
  uint64_t listed_at_ = 0;  ///< MonotonicNanos of the last listing
  uint64_t lock_unreadable_since_ = 0;  ///< MonotonicNanos; 0: the lock file can be read
};

}  // namespace journal

#endif  // CERTWIRE_CORE_EPOCH_VIEW_H_
