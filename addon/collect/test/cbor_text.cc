#include "cbor_text.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <vector>

#include "collect/record_encoder.h"

namespace collect {
namespace {

class Printer {
 public:
  explicit Printer(const std::vector<uint8_t>& bytes) : bytes_(bytes) {}

  bool AtEnd() const { return at_ == bytes_.size(); }

  std::string Item(int depth = 0) {
    REQUIRE(depth < 8);
    const auto [major, value] = Head();
    switch (major) {
      case 0:
        return std::to_string(value);
      case 1:
        return "-" + std::to_string(value + 1);
      case 2:
        return Hex(Take(value));
      case 3:
        return "\"" + Take(value) + "\"";
      case 4:
        return "[" + Items(value, depth) + "]";
      case 5:
        return "{" + Pairs(value, depth) + "}";
      case 6:
        return std::to_string(value) + "(" + Item(depth + 1) + ")";
      default:
        CHECK(value == 22);
        return "null";
    }
  }

 private:
  struct HeadOf {
    int major;
    uint64_t value;
  };

  HeadOf Head() {
    const auto first = static_cast<uint8_t>(Take(1)[0]);
    const int info = first & 31;
    if (info < 24) return {first >> 5, static_cast<uint64_t>(info)};
    REQUIRE(info < 28);
    uint64_t value = 0;
    for (const char c : Take(size_t{1} << (info - 24)))
      value = value << 8 | static_cast<uint8_t>(c);
    const uint64_t least[] = {24, 0x100, 0x10000, 0x100000000};
    CHECK_MESSAGE(value >= least[info - 24], "head is not the shortest");
    return {first >> 5, value};
  }

  std::string Take(uint64_t size) {
    REQUIRE(size <= bytes_.size() - at_);
    const auto begin = bytes_.begin() + static_cast<ptrdiff_t>(at_);
    at_ += size;
    return {begin, begin + static_cast<ptrdiff_t>(size)};
  }

  static std::string Hex(const std::string& bytes) {
    if (bytes.size() > 32) return std::to_string(bytes.size()) + " bytes";
    std::string text = "h'";
    for (const char c : bytes) {
      char digits[3];
      std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned>(static_cast<uint8_t>(c)));
      text += digits;
    }
    return text + "'";
  }

  std::string Items(uint64_t count, int depth) {
    std::string text;
    for (uint64_t i = 0; i < count; ++i) text += (i == 0 ? "" : ", ") + Item(depth + 1);
    return text;
  }

  std::string Pairs(uint64_t count, int depth) {
    std::string text;
    std::string previous;
    for (uint64_t i = 0; i < count; ++i) {
      const size_t start = at_;
      const std::string key = Item(depth + 1);
      const std::string encoded(bytes_.begin() + static_cast<ptrdiff_t>(start),
                                bytes_.begin() + static_cast<ptrdiff_t>(at_));
      CHECK_MESSAGE(Unsigned(previous) < Unsigned(encoded), "keys are out of order: " << key);
      previous = encoded;
      text += (i == 0 ? "" : ", ") + key + ": ";
      text += Item(depth + 1);
    }
    return text;
  }

  static std::basic_string<uint8_t> Unsigned(const std::string& bytes) {
    return {bytes.begin(), bytes.end()};
  }

  const std::vector<uint8_t>& bytes_;
  size_t at_ = 0;
};

}  // namespace

std::string CborText(const Record& record) {
  std::vector<uint8_t> bytes(EncodedSize(record));
  CHECK(EncodeRecord(record, bytes.data(), bytes.size()) == bytes.size());
  CHECK(bytes.size() <= kMaxRecordBytes);
  Printer printer(bytes);
  std::string text = printer.Item();
  CHECK(printer.AtEnd());
  return text;
}

}  // namespace collect
