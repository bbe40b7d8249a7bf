#ifndef CERTWIRE_CORE_FORMAT_H_
#define CERTWIRE_CORE_FORMAT_H_

#include <cstddef>
#include <cstdint>

#include "journal/units.h"

// On-disk constants of the journal; docs/reference/journal-format.md is the specification.
namespace journal {

inline constexpr char kMagic[8] = {'C', 'W', 'J', 'R', 'N', 'L', '\r', '\n'};
inline constexpr uint16_t kFormatVersion = 1;
/// Readers older than this cannot read what this writer writes.
inline constexpr uint16_t kMinReaderVersion = 1;

inline constexpr size_t kEpochIdSize = 16;
inline constexpr uint64_t kSegmentHeaderSize = 4096;
/// The header is stored twice, so that one bad sector does not cost the segment.
inline constexpr size_t kHeaderCopyOffsets[2] = {0, 2048};
inline constexpr size_t kHeaderCopySize = 100;

/// Flag of the segment header: a shorter file has been cut.
inline constexpr uint32_t kSegmentFilled = 1;

inline constexpr size_t kFrameHeaderSize = 104;
inline constexpr size_t kFrameAlignment = 8;
inline constexpr uint32_t kMaxPayload = 16 * kMebibyte;

/// Sequences are from 1 to this, so that the one after the last is a number too.
inline constexpr uint64_t kMaxSequence = INT64_MAX;

/// Space at the end of a segment for GAP, MARK and SEAL only (less in segments under 256 KiB).
inline constexpr uint64_t kReservedTail = 64 * kKibibyte;

enum FrameType : uint16_t {
  kEpochFrame = 1,
  kEventFrame = 2,
  kGapFrame = 3,
  kMarkFrame = 4,
  kSealFrame = 5,
};
/// A reader may step over an unknown type that has this bit.
inline constexpr uint16_t kIgnorableType = 0x8000;

inline constexpr uint16_t kGapSchema = 1;

/// Bytes of a frame with a payload of `payload` bytes, padding included.
constexpr uint64_t FrameSize(uint64_t payload) {
  return (kFrameHeaderSize + payload + kFrameAlignment - 1) / kFrameAlignment * kFrameAlignment;
}

}  // namespace journal

#endif  // CERTWIRE_CORE_FORMAT_H_
