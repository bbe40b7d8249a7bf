#include "epoch_view.h"

#include "epoch_links.h"
#include "journal/units.h"
#include "platform.h"

namespace journal {
namespace {

constexpr uint64_t kUnreadablePatienceNanos = 5 * kNanosPerSecond;

}  // namespace

Status EpochView::Refresh() {
  ForgetWriter();
  return catalog_.Refresh();
}

const CatalogEpoch* EpochView::Current() const {
  const auto found = catalog_.epochs().find(place_->epoch);
  return found == catalog_.epochs().end() ? nullptr : &found->second;
}

const EpochView::NumberedEpoch* EpochView::Next() {
  const auto next = catalog_.epochs().upper_bound(place_->epoch);
  return next == catalog_.epochs().end() || HasWriter() ? nullptr : &*next;
}

bool EpochView::HasWriter() {
  if (!has_writer_.has_value()) has_writer_ = FindWriter(files_, catalog_) == place_->epoch;
  return *has_writer_;
}

bool EpochView::WaitsForUnreadable(SegmentPlace from, SegmentPlace before) {
  if (!catalog_.HasUnreadable(from, before)) {
    unreadable_since_ = 0;
    return false;
  }
  const uint64_t now = MonotonicNanos();
  if (unreadable_since_ == 0) unreadable_since_ = now;
  return now - unreadable_since_ < kUnreadablePatienceNanos;
}

}  // namespace journal
