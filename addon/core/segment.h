#ifndef CERTWIRE_CORE_SEGMENT_H_
#define CERTWIRE_CORE_SEGMENT_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "chain.h"
#include "format.h"

namespace journal {

/// 128 random bits of a writer start.
struct EpochId {
  uint8_t bytes[kEpochIdSize] = {};
  auto operator<=>(const EpochId&) const = default;
};

/// Header of a segment file.
struct SegmentHeader {
  uint16_t version = kFormatVersion;
  uint16_t min_reader_version = kMinReaderVersion;
  uint32_t epoch = 0;
  EpochId id;
  uint32_t index = 0;
  uint64_t first_sequence = 0;  ///< of the first frame that takes a number in this segment
  uint64_t time = 0;            ///< UTC in 100 ns since 1601, when the header was made
  uint64_t size = 0;            ///< planned bytes of the file
  bool filled = false;          ///< the file had all its bytes when the header was written
  /// The writer's limits: it makes no segment beyond this size of the journal, nor below this many
  /// free bytes. 0: unknown.
  uint64_t max_journal_bytes = 0;
  uint64_t min_free_bytes = 0;
};

/// Encodes both copies into `page` of kSegmentHeaderSize bytes.
void EncodeSegmentHeader(const SegmentHeader& header, uint8_t* page);
/// Decodes the first copy that verifies out of `size` bytes; false when none does.
bool DecodeSegmentHeader(const uint8_t* page, size_t size, SegmentHeader* header);

struct FrameHeader {
  uint32_t length = 0;
  uint32_t payload_crc = 0;
  uint32_t epoch = 0;
  uint64_t sequence = 0;
  uint64_t time = 0;
  uint16_t type = 0;
  uint16_t flags = 0;
  uint16_t schema = 0;
  ChainValue previous_hash;  ///< of the EVENT or GAP frame before; ChainStart without one
  ChainValue record_hash;    ///< of this EVENT or GAP frame; of any other: previous_hash
};

/// Place of a frame; the seed of its header's CRC, so that bytes verify at one place only.
struct FramePlace {
  EpochId id;
  uint32_t index = 0;
  uint64_t offset = 0;
};

uint32_t PayloadCrc(const EpochId& id, const uint8_t* payload, size_t size);
/// Writes the kFrameHeaderSize bytes of a frame header.
void EncodeFrameHeader(const FrameHeader& header, const FramePlace& place, uint8_t* to);
/// Reads a frame header; false when it does not verify at this place, or its length or sequence is
/// not allowed.
bool DecodeFrameHeader(const uint8_t* from, const FramePlace& place, FrameHeader* header);
/// Writes the CRC for another place.
void MoveFrameHeader(uint8_t* frame, const FramePlace& place);

inline constexpr size_t kSegmentNameSize = 24;  ///< "e0000000042-s000003.cej" and NUL
/// Writes the file name of a segment.
void FormatSegmentName(uint32_t epoch, uint32_t index, char name[kSegmentNameSize]);
/// Reads a file name; false when it is not a segment's.
bool ParseSegmentName(const char* name, uint32_t* epoch, uint32_t* index);

}  // namespace journal

#endif  // CERTWIRE_CORE_SEGMENT_H_
