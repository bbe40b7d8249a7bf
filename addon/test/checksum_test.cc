#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "journal/crc32c.h"
#include "journal/sha256.h"

namespace {

std::string Sha256Hex(const std::string& text, size_t piece, bool hardware) {
  journal::Sha256 hash(hardware);
  for (size_t at = 0; at < text.size(); at += piece) {
    hash.Update(text.data() + at, std::min(piece, text.size() - at));
  }
  uint8_t digest[journal::kSha256Size];
  hash.Finish(digest);
  std::string hex;
  for (const uint8_t byte : digest) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

}  // namespace

TEST_CASE("CRC32C gives the check values of RFC 3720") {
  CHECK(journal::Crc32c("123456789", 9) == 0xe3069283);
  const std::vector<uint8_t> zeros(32, 0);
  CHECK(journal::Crc32c(zeros.data(), zeros.size()) == 0x8a9136aa);
  const std::vector<uint8_t> ones(32, 0xff);
  CHECK(journal::Crc32c(ones.data(), ones.size()) == 0x62a8ab43);
}

TEST_CASE("CRC32C by instruction and by table agree for every length, alignment and split") {
  std::mt19937 random(7);
  std::vector<uint8_t> data(300);
  for (auto& byte : data) byte = static_cast<uint8_t>(random());
  for (size_t start = 0; start < 9; ++start) {
    for (size_t size = 0; start + size <= data.size(); ++size) {
      const uint32_t whole = journal::Crc32cPortable(data.data() + start, size);
      REQUIRE(journal::Crc32c(data.data() + start, size) == whole);
      const size_t half = size / 2;
      const uint32_t first = journal::Crc32c(data.data() + start, half);
      REQUIRE(journal::Crc32c(data.data() + start + half, size - half, first) == whole);
    }
  }
}

TEST_CASE("SHA-256 gives the values of FIPS 180-4, whatever the pieces") {
  const std::string abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  const std::string million = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
  for (const bool hardware : {false, true}) {
    CHECK(Sha256Hex("abc", 1, hardware) == abc);
    CHECK(Sha256Hex("", 1, hardware) ==
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(Sha256Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, hardware) ==
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    for (const size_t piece : {1u, 63u, 64u, 65u, 1000u}) {
      CHECK(Sha256Hex(std::string(1000000, 'a'), piece, hardware) == million);
    }
  }
}

TEST_CASE("SHA-256 by instruction and without agree for every length") {
  std::mt19937 random(8);
  std::string data(300, '\0');
  for (auto& byte : data) byte = static_cast<char>(random());
  for (size_t size = 0; size <= data.size(); ++size) {
    const std::string part = data.substr(0, size);
    REQUIRE(Sha256Hex(part, 7, true) == Sha256Hex(part, 7, false));
    REQUIRE(Sha256Hex(part, 300, true) == Sha256Hex(part, 300, false));
  }
}
