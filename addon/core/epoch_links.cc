#include "epoch_links.h"

#include <cstring>

#include "journal/cbor.h"
#include "scanner.h"

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

Status ReadPrevious(FileSystem* files, const Catalog& catalog, const EpochKey& of,
                    EpochKey* previous, bool* known) {
  *known = false;
  const CatalogSegment& first = catalog.epochs().find(of)->second.begin()->second;
  if (first.header.index != 0) return Status::Ok();
  SegmentScanner scanner;
  Status status = scanner.Open(files, catalog.PathOf(first), first.header);
  if (!status.ok()) return status;
  FrameHeader frame;
  const uint8_t* payload;
  bool valid;
  status = scanner.ReadHeader(kSegmentHeaderSize, &frame, &valid);
  if (!status.ok() || !valid || frame.type != kEpochFrame) return status;
  status = scanner.ReadPayload(kSegmentHeaderSize, frame, &payload, &valid);
  if (status.ok() && valid) *known = DecodePrevious(payload, frame.length, previous);
  return status;
}

std::optional<EpochKey> FindWriter(FileSystem* files, const Catalog& catalog) {
  const std::optional<EpochKey> named = catalog.WritersEpoch();
  if (!named.has_value()) return named;
  const auto next = catalog.epochs().upper_bound(*named);
  if (next == catalog.epochs().end()) return named;
  EpochKey previous;
  bool known = false;
  const Status status = ReadPrevious(files, catalog, next->first, &previous, &known);
  return status.ok() && known && previous == *named ? std::nullopt : named;
}

}  // namespace journal
