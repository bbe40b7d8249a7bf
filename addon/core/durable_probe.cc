#include "durable_probe.h"

#include <algorithm>

namespace journal {

void DurableProbe::Reset() {
  scanner_.Close();
  segment_ = 0;
  offset_ = 0;
  durable_ = 0;
  last_ = 0;
}

Status DurableProbe::Advance(const Catalog& catalog, const CatalogEpoch& epoch, uint32_t segment,
                             uint64_t offset, uint64_t target) {
  if (durable_ >= target) return Status::Ok();
  if (segment_ < segment || (segment_ == segment && offset_ < offset)) {
    if (segment_ != segment) scanner_.Close();
    segment_ = segment;
    offset_ = offset;
  }
  scanner_.Invalidate();
  for (bool moved = true; moved && durable_ < target;) {
    const Status status = Step(catalog, epoch, &moved);
    if (!status.ok()) return status;
  }
  return Status::Ok();
}

Status DurableProbe::Step(const Catalog& catalog, const CatalogEpoch& epoch, bool* moved) {
  *moved = false;
  if (!scanner_.is_open()) {
    const auto found = epoch.find(segment_);
    if (found == epoch.end()) return Status::Ok();
    const Status status = OpenSegment(catalog, found->second);
    if (!status.ok()) return status;
  }
  FrameHeader frame;
  bool valid;
  const Status status = scanner_.ReadHeader(offset_, &frame, &valid);
  if (!status.ok()) return status;
  if (valid) {
    *moved = true;
    return Take(frame);
  }
  const auto next = epoch.upper_bound(segment_);
  if (next == epoch.end()) return status;
  *moved = true;
  segment_ = next->first;
  offset_ = kSegmentHeaderSize;
  scanner_.Close();
  return status;
}

Status DurableProbe::OpenSegment(const Catalog& catalog, const CatalogSegment& segment) {
  return scanner_.Open(files_, catalog.PathOf(segment), segment.header);
}

Status DurableProbe::Take(const FrameHeader& frame) {
  last_ = std::max(last_, frame.sequence);
  if (frame.type == kSealFrame) durable_ = std::max(durable_, frame.sequence);
  if (frame.type == kMarkFrame) {
    const uint8_t* payload;
    bool valid;
    const Status status = scanner_.ReadPayload(offset_, frame, &payload, &valid);
    if (!status.ok()) return status;
    uint64_t sequence = 0;
    if (valid && DecodeDurable(payload, frame.length, &sequence)) {
      // A MARK cannot speak of what was not written before it.
      durable_ = std::max(durable_, std::min(sequence, frame.sequence));
    }
  }
  offset_ += FrameSize(frame.length);
  return Status::Ok();
}

}  // namespace journal
