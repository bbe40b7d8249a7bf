#include "collect/utf16.h"

#include <bit>
#include <cstddef>

namespace collect {

static_assert(std::endian::native == std::endian::little);

namespace {

constexpr uint32_t kInvalid = 0xFFFFFFFF;

uint32_t UnitAt(std::span<const uint8_t> text, size_t at) {
  return static_cast<uint32_t>(text[at] | (text[at + 1] << 8));
}

/// The code point at byte `*at`, which moves past it; `kInvalid` for a lone surrogate.
uint32_t NextCodePoint(std::span<const uint8_t> text, size_t* at) {
  const uint32_t unit = UnitAt(text, *at);
  *at += 2;
  if (unit < 0xD800 || unit > 0xDFFF) return unit;
  if (unit > 0xDBFF || *at + 2 > text.size()) return kInvalid;
  const uint32_t low = UnitAt(text, *at);
  if (low < 0xDC00 || low > 0xDFFF) return kInvalid;
  *at += 2;
  return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
}

void AppendUtf8(uint32_t code, std::vector<uint8_t>* out) {
  const auto put = [out](uint32_t byte) { out->push_back(static_cast<uint8_t>(byte)); };
  const auto put_rest = [&](int shift) { put(0x80 | (code >> shift & 0x3F)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xC0 | code >> 6);
    return put_rest(0);
  }
  if (code < 0x10000) {
    put(0xE0 | code >> 12);
  } else {
    put(0xF0 | code >> 18);
    put_rest(12);
  }
  put_rest(6);
  put_rest(0);
}

void AppendUtf16(uint32_t code, std::vector<uint8_t>* out) {
  const auto put = [out](uint32_t unit) {
    out->push_back(static_cast<uint8_t>(unit));
    out->push_back(static_cast<uint8_t>(unit >> 8));
  };
  if (code < 0x10000) return put(code);
  put(0xD800 + ((code - 0x10000) >> 10));
  put(0xDC00 + ((code - 0x10000) & 0x3FF));
}

}  // namespace

bool ToUtf8(std::span<const uint8_t> text, std::vector<uint8_t>* utf8) {
  utf8->clear();
  if (text.size() % 2 != 0) return false;
  utf8->reserve(text.size() / 2);  // exact for ASCII
  for (size_t at = 0; at < text.size();) {
    const uint32_t code = NextCodePoint(text, &at);
    if (code == kInvalid) return false;
    AppendUtf8(code, utf8);
  }
  return true;
}

std::vector<uint8_t> ToUtf16(std::span<const uint8_t> utf8) {
  std::vector<uint8_t> utf16;
  utf16.reserve(2 * utf8.size());
  for (size_t at = 0; at < utf8.size();) {
    const uint32_t lead = utf8[at++];
    const int rest = lead < 0x80 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    uint32_t code = rest == 0 ? lead : lead & (0x3Fu >> rest);
    for (int i = 0; i < rest; ++i) code = code << 6 | (utf8[at++] & 0x3Fu);
    AppendUtf16(code, &utf16);
  }
  return utf16;
}

}  // namespace collect
