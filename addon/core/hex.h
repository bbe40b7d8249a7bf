#ifndef CERTWIRE_CORE_HEX_H_
#define CERTWIRE_CORE_HEX_H_

#include <string>

#include "segment.h"

namespace journal {

/// 32 lower-case hex digits.
std::string HexOf(const EpochId& id);

}  // namespace journal

#endif  // CERTWIRE_CORE_HEX_H_
