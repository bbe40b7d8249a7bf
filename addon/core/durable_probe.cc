#include "durable_probe.h"

#include <algorithm>

namespace journal {

void DurableProbe::Reset() {
  scanner_.Close();
  place_ = ProbePlace();
  durable_ = 0;
  last_ = 0;
}

Status DurableProbe::AdvanceTo(const Catalog& catalog, const CatalogEpoch& epoch,
                               const ProbePlace& from, uint64_t target) {
  if (durable_ >= target) return Status::Ok();
  if (place_ < from) {
    if (place_.segment != from.segment) scanner_.Close();
    place_ = from;
  }
  scanner_.Invalidate();
  for (bool moved = true; moved && durable_ < target;) {
    const Status status = StepToNextFrame(catalog, epoch, &moved);
    if (!status.ok()) return status;
  }
  return Status::Ok();
}

Status DurableProbe::StepToNextFrame(const Catalog& catalog, const CatalogEpoch& epoch,
                                     bool* moved) {
  *moved = false;
  if (!scanner_.is_open()) {
    const auto found = epoch.find(place_.segment);
    if (found == epoch.end()) return Status::Ok();
    const Status status = OpenSegment(catalog, found->second);
    if (!status.ok()) return status;
  }
  FrameHeader frame;
  bool valid;
  const Status status = scanner_.ReadHeader(place_.offset, &frame, &valid);
  if (!status.ok()) return status;
  if (valid) {
    *moved = true;
    return NoteFrame(frame);
  }
  const auto next = epoch.upper_bound(place_.segment);
  if (next == epoch.end()) return status;
  *moved = true;
  place_ = {next->first, kSegmentHeaderSize};
  scanner_.Close();
  return status;
}

Status DurableProbe::OpenSegment(const Catalog& catalog, const CatalogSegment& segment) {
  return scanner_.Open(files_, catalog.PathOf(segment), segment.header);
}

Status DurableProbe::NoteFrame(const FrameHeader& frame) {
  last_ = std::max(last_, frame.sequence);
  if (frame.type == kSealFrame) durable_ = std::max(durable_, frame.sequence);
  if (frame.type == kMarkFrame) {
    const uint8_t* payload;
    bool valid;
    const Status status = scanner_.ReadPayload(place_.offset, frame, &payload, &valid);
    if (!status.ok()) return status;
    uint64_t sequence = 0;
    if (valid && DecodeDurable(payload, frame.length, &sequence)) {
      // A MARK covers only what was written before it.
      durable_ = std::max(durable_, std::min(sequence, frame.sequence));
    }
  }
  place_.offset += FrameSize(frame.length);
  return Status::Ok();
}

}  // namespace journal
