#include "epoch_view.h"

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
  if (has_writer_.has_value()) return *has_writer_;
  std::optional<EpochKey> writer;
  const Status status = links_.FindWriter(catalog_, &writer);
  if (status.ok()) {
    lock_unreadable_since_ = 0;
    blocked_ = Status::Ok();
    is_unsure_ = false;
    has_writer_ = writer == place_->epoch;
    return *has_writer_;
  }
  // Without knowing whether a writer is in it, the epoch is left only for one that began after it:
  // an epoch that was copied in would end the reading of a live one.
  is_unsure_ = IsRecent(&lock_unreadable_since_);
  has_writer_ = is_unsure_ || !IsFollowed();
  if (*has_writer_ && !is_unsure_) {
    blocked_ = Status(status.code(), "cannot read which epoch has a writer", status.os_error());
  }
  return *has_writer_;
}

/// True when the next epoch says that it began after the one that the reader is in.
bool EpochView::IsFollowed() {
  const auto next = catalog_.epochs().upper_bound(place_->epoch);
  EpochKey previous;
  bool known = false;
  const Status status = links_.ReadPrevious(catalog_, next->first, &previous, &known);
  return status.ok() && known && previous == place_->epoch;
}

bool EpochView::WaitsForUnreadable(SegmentPlace from, SegmentPlace before) {
  if (catalog_.HasUnreadable(from, before)) return IsRecent(&unreadable_since_);
  unreadable_since_ = 0;
  return false;
}

StepOutcome EpochView::EndOrWait(SegmentPlace from) {
  const bool waits = is_unsure_ || WaitsForUnreadable(from, {UINT32_MAX, UINT32_MAX});
  return waits ? StepOutcome::kWaiting : StepOutcome::kEnd;
}

/// Notes when something became unreadable, and says whether that may still pass.
bool EpochView::IsRecent(uint64_t* since) {
  const uint64_t now = MonotonicNanos();
  if (*since == 0) *since = now;
  return now - *since < kUnreadablePatienceNanos;
}

}  // namespace journal
