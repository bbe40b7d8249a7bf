#include "epoch_links.h"

#include <cstring>

#include "journal/cbor.h"

namespace journal {
namespace {

/// What an EPOCH frame says about the epoch before; false when it says nothing.
bool DecodePrevious(const uint8_t* payload, size_t size, EpochKey* previous) {
  CborCursor cursor(payload, size);
  CborHead array;
  CborHead number;
  CborHead id;
  if (!FindCborKey(&cursor, "previous") || !cursor.NextHead(&array) || !cursor.NextHead(&number) ||
      !cursor.NextHead(&id) || number.value > UINT32_MAX || id.major != 2 ||
      id.value != kEpochIdSize) {
    return false;
  }
  const uint8_t* bytes = cursor.TakeBytes(kEpochIdSize);
  if (bytes == nullptr) return false;
  previous->number = static_cast<uint32_t>(number.value);
  std::memcpy(previous->id.bytes, bytes, kEpochIdSize);
  return true;
}

}  // namespace

Status EpochLinks::ReadPrevious(const Catalog& catalog, const EpochKey& of, EpochKey* previous,
                                bool* known) {
  *known = false;
  const CatalogSegment& first = catalog.epochs().find(of)->second.begin()->second;
  if (first.header.index != 0) return Status::Ok();
  if (scanner_.is_open() && scanner_.header().id == of.id) {
    scanner_.Invalidate();
  } else {
    const Status status = scanner_.Open(files_, catalog.PathOf(first), first.header);
    if (!status.ok()) return status;
  }
  const Status status = ReadFirstFrame(previous, known);
  if (status.ok()) scanner_.Close();
  return status;
}

Status EpochLinks::ReadFirstFrame(EpochKey* previous, bool* known) {
  FrameHeader frame;
  const uint8_t* payload;
  bool valid;
  Status status = scanner_.ReadHeader(kSegmentHeaderSize, &frame, &valid);
  if (!status.ok() || !valid || frame.type != kEpochFrame) return status;
  status = scanner_.ReadPayload(kSegmentHeaderSize, frame, &payload, &valid);
  if (status.ok() && valid) *known = DecodePrevious(payload, frame.length, previous);
  return status;
}

Status EpochLinks::FindWriter(const Catalog& catalog, std::optional<EpochKey>* writer) {
  const Status status = catalog.ReadWritersEpoch(writer);
  if (!status.ok() || !writer->has_value()) return status;
  const auto next = catalog.epochs().upper_bound(**writer);
  if (next == catalog.epochs().end()) return status;
  EpochKey previous;
  bool known = false;
  // What cannot be read does not show that the named epoch has ended.
  const Status read = ReadPrevious(catalog, next->first, &previous, &known);
  if (read.ok() && known && previous == **writer) writer->reset();
  return status;
}

}  // namespace journal
