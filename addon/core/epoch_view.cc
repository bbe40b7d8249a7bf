#include "epoch_view.h"

namespace journal {

Status EpochView::Refresh(uint64_t now) {
  ForgetWriter();
  listed_at_ = now;
  return catalog_.Refresh(now);
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
    Unblock();
    is_unsure_ = false;
    has_writer_ = writer == place_->epoch;
    return *has_writer_;
  }
  // Without knowing whether a writer is in it, the epoch is left only for one that began after it:
  // an epoch that was copied in would end the reading of a live one.
  if (lock_unreadable_since_ == 0) lock_unreadable_since_ = listed_at_;
  is_unsure_ = IsRecent(lock_unreadable_since_);
  has_writer_ = is_unsure_ || !IsFollowed();
  if (*has_writer_ && !is_unsure_) {
    Unblock();
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
  bool waits = false;
  for (const UnreadableFile& file : catalog_.Unreadable(from, before)) {
    if (IsRecent(file.since)) {
      waits = true;
    } else if (!file.is_damage) {
      waits = true;
      Block(file);
    }
  }
  return waits;
}

StepOutcome EpochView::EndOrWait(SegmentPlace from) {
  bool waits = is_unsure_;
  for (const UnreadableFile& file : catalog_.Unreadable(from, {UINT32_MAX, UINT32_MAX})) {
    waits = true;
    // No frame after a damaged one shows what it had, so only an error does.
    if (!IsRecent(file.since)) Block(file);
  }
  return waits ? StepOutcome::kWaiting : StepOutcome::kEnd;
}

void EpochView::Block(const UnreadableFile& file) {
  blocked_ = Status(file.status.code(), "cannot read the segment", file.status.os_error());
  char name[kSegmentNameSize];
  FormatSegmentName(file.place.number, file.place.index, name);
  blocking_segment_ = name;
}

}  // namespace journal
