#include "collect/utf16.h"

#include <doctest/doctest.h>

#include <string>

namespace collect {
namespace {

std::string Utf8(std::u16string_view text) {
  std::vector<uint8_t> utf8;
  REQUIRE(ToUtf8(BytesOf(text), &utf8));
  return {utf8.begin(), utf8.end()};
}

bool IsValid(std::u16string_view text) {
  std::vector<uint8_t> utf8;
  return ToUtf8(BytesOf(text), &utf8);
}

TEST_CASE("UTF-16 of every length of UTF-8 is converted") {
  CHECK(Utf8(u"") == "");
  CHECK(Utf8(u"abc") == "abc");
  CHECK(Utf8(u"\u007F\u0080\u07FF\u0800\uFFFF") == "\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF");
  CHECK(Utf8(u"\U00010000\U0010FFFF") == "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF");
  CHECK(Utf8({u"a\0b", 3}) == std::string("a\0b", 3));
}

TEST_CASE("lone surrogates and half units are not valid UTF-16") {
  CHECK_FALSE(IsValid(u"a\xD800"));
  CHECK_FALSE(IsValid(u"\xD800z"));
  CHECK_FALSE(IsValid(u"\xDC00"));
  CHECK_FALSE(IsValid(u"\xDC00\xD800"));
  std::vector<uint8_t> utf8;
  const uint8_t odd[] = {'a', 0, 'b'};
  CHECK_FALSE(ToUtf8(odd, &utf8));
}

TEST_CASE("converting there and back gives the same bytes for every code point") {
  std::u16string all;
  for (uint32_t code = 0; code < 0x110000; ++code) {
    if (code >= 0xD800 && code < 0xE000) continue;
    if (code < 0x10000) {
      all += static_cast<char16_t>(code);
    } else {
      all += static_cast<char16_t>(0xD800 + ((code - 0x10000) >> 10));
      all += static_cast<char16_t>(0xDC00 + (code & 0x3FF));
    }
  }
  std::vector<uint8_t> utf8;
  REQUIRE(ToUtf8(BytesOf(all), &utf8));
  const auto back = ToUtf16(utf8);
  const auto bytes = BytesOf(all);
  CHECK(std::equal(back.begin(), back.end(), bytes.begin(), bytes.end()));
}

}  // namespace
}  // namespace collect
