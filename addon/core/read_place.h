#ifndef CERTWIRE_CORE_READ_PLACE_H_
#define CERTWIRE_CORE_READ_PLACE_H_

#include <cstdint>
#include <optional>

#include "chain.h"
#include "writer_lock.h"

namespace journal {

/// What the reader knows about the frame before its place. It decides whether the number of the
/// next frame is checked, and whether the epoch ended cleanly.
///
///   kStartPosition --SEAL-->                                     kSealed
///   kStartPosition --any other frame, damage or next segment-->  kUnsealed
///   kUnsealed      --SEAL-->                                     kSealed
///   kSealed        --any other numbered frame, hole, damaged frame, torn tail-->  kUnsealed
///   kSealed        --end of an epoch whose last file is shorter than planned-->   kUnsealed
enum class LastFrame : uint8_t {
  kStartPosition,  ///< nothing was read since the start position: the next number is right,
                   ///< whatever it is
  kUnsealed,       ///< no SEAL: if the epoch ends here, its writer stopped uncleanly
  kSealed,         ///< a SEAL: if the epoch ends here, nothing is missing
};

/// Where the reader is. The epoch cursor chooses epoch and segment, the frame cursor moves within
/// the segment.
struct ReadPlace {
  EpochKey epoch;
  uint32_t segment = 0;
  uint64_t offset = 0;    ///< of the next frame; kEpochDoneOffset: the epoch holds no further frame
  uint64_t sequence = 0;  ///< of the last frame that took a number
  uint64_t time = 0;      ///< of that frame; 0: none was read in this epoch
  LastFrame last = LastFrame::kUnsealed;
  std::optional<ChainValue> chain;  ///< after that frame; none: not known

  /// The number of the next frame will be checked.
  void LeaveStartPosition() {
    if (last == LastFrame::kStartPosition) last = LastFrame::kUnsealed;
  }
};

/// The offset of a position after an epoch's last frame: no frame can start there.
inline constexpr uint64_t kEpochDoneOffset = 0;

}  // namespace journal

#endif  // CERTWIRE_CORE_READ_PLACE_H_
