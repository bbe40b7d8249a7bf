#ifndef CERTWIRE_COLLECT_UTF16_H_
#define CERTWIRE_COLLECT_UTF16_H_

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace collect {

/// Converts UTF-16LE `text` into `utf8`; false when it is not valid UTF-16 (a lone surrogate, or an
/// odd number of bytes).
bool ToUtf8(std::span<const uint8_t> text, std::vector<uint8_t>* utf8);
/// The UTF-16LE bytes of what ToUtf8 made.
std::vector<uint8_t> ToUtf16(std::span<const uint8_t> utf8);

/// The bytes of `text`; the host is little-endian, as every host of a CA is.
inline std::span<const uint8_t> BytesOf(std::u16string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size() * sizeof(char16_t)};
}

}  // namespace collect

#endif  // CERTWIRE_COLLECT_UTF16_H_
