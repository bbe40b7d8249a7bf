#include "support/cbor_check.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "gap.h"

namespace {

bool Accepts(const std::string& hex, const test::CborLimits& limits = {}) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return test::CheckCbor(bytes.data(), bytes.size(), limits).ok();
}

}  // namespace

TEST_CASE("well-formed deterministic CBOR is accepted") {
  for (const char* hex : {"00",
                          "17",
                          "1818",
                          "1903e8",
                          "1bffffffffffffffff",
                          "20",
                          "40",
                          "60",
                          "6161",
                          "80",
                          "a0",
                          "a1616100",
                          "a2616100616200",
                          "a26162006261610 0",
                          "f4",
                          "f5",
                          "f6",
                          "c100",
                          "62c3bc",
                          "63e6b0b4",
                          "64f0908591",
                          "a2004101204102"}) {
    std::string text(hex);
    std::erase(text, ' ');
    CHECK_MESSAGE(Accepts(text), text);
  }
}

TEST_CASE("everything else is refused") {
  const struct {
    const char* hex;
    const char* why;
  } cases[] = {
      {"", "nothing"},
      {"0000", "bytes after the end"},
      {"1817", "head 23 in two bytes"},
      {"190018", "head 24 in three bytes"},
      {"1a0000ffff", "too long head"},
      {"1b00000000ffffffff", "too long head"},
      {"5801", "cut bytes"},
      {"590001aa", "too long length"},
      {"5f4100ff", "indefinite bytes"},
      {"9fff", "indefinite array"},
      {"bfff", "indefinite map"},
      {"ff", "break alone"},
      {"a2616200616100", "keys out of order"},
      {"a2616100616100", "key twice"},
      {"a2626161006162 00", "longer key first"},
      {"a161", "cut map"},
      {"8201", "cut array"},
      {"9bffffffffffffffff", "huge array"},
      {"bbffffffffffffffff", "huge map"},
      {"f7", "undefined"},
      {"f90000", "half float"},
      {"fa00000000", "float"},
      {"fb0000000000000000", "double"},
      {"f820", "simple value"},
      {"61ff", "not UTF-8"},
      {"62c080", "overlong"},
      {"63eda080", "surrogate"},
      {"64f4908080", "above U+10FFFF"},
      {"62c3", "cut text"},
      {"61c3", "cut character"},
      {"1c", "reserved head"},
      {"c1", "tag without item"},
  };
  for (const auto& one : cases) {
    std::string text(one.hex);
    std::erase(text, ' ');
    CHECK_FALSE_MESSAGE(Accepts(text), one.why);
  }
}

TEST_CASE("size, nesting and number of items are limited") {
  test::CborLimits limits;
  limits.max_depth = 2;
  CHECK(Accepts("818100", limits));
  CHECK_FALSE(Accepts("81818100", limits));
  CHECK_FALSE(Accepts("c1c1c100", limits));
  limits.max_items = 3;
  CHECK(Accepts("820000", limits));
  CHECK_FALSE(Accepts("83000000", limits));
  limits.max_bytes = 2;
  CHECK_FALSE(Accepts("820000", limits));
  CHECK_FALSE(Accepts(std::string(200, '8') + "0"));
}

TEST_CASE("a GAP payload is deterministic CBOR whatever it knows, and fits its space") {
  journal::GapInfo gap;
  gap.reason = "missing-segment";
  uint8_t payload[journal::kMaxGapPayload];
  for (unsigned known = 0; known < 64; ++known) {
    gap.count = (known & 1) != 0 ? UINT64_MAX : 0;
    gap.first_sequence = (known & 2) != 0 ? UINT64_MAX : 0;
    gap.last_sequence = (known & 4) != 0 ? UINT64_MAX : 0;
    gap.first_time = (known & 8) != 0 ? UINT64_MAX : 0;
    gap.last_time = (known & 16) != 0 ? UINT64_MAX : 0;
    gap.request_id_count = (known & 32) != 0 ? journal::kMaxGapIds : 0;
    for (auto& id : gap.request_ids) id = INT64_MIN;
    const size_t size = journal::EncodeGap(gap, payload);
    REQUIRE(size <= sizeof(payload));
    CHECK(test::CheckCbor(payload, size).ok());
  }
}
