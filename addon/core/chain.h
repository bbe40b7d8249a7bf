#ifndef CERTWIRE_CORE_CHAIN_H_
#define CERTWIRE_CORE_CHAIN_H_

#include <compare>
#include <cstdint>

#include "journal/sha256.h"

namespace journal {

struct EpochId;
struct FrameHeader;

/// A value of the hash chain over the EVENT and GAP frames of an epoch.
struct ChainValue {
  uint8_t bytes[kSha256Size] = {};
  auto operator<=>(const ChainValue&) const = default;
};

/// The value before the first frame of an epoch.
ChainValue ChainStart(const EpochId& id, uint32_t epoch);
/// The value of an EVENT or GAP frame, from the value before it, `header.previous_hash`. Nothing
/// that depends on the place of the frame counts, so that a frame keeps its value when it moves.
ChainValue ChainLink(const FrameHeader& header, const uint8_t* payload);

}  // namespace journal

#endif  // CERTWIRE_CORE_CHAIN_H_
