#include "journal/cbor.h"

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

namespace {

std::string Hex(const uint8_t* data, size_t size) {
  std::string hex;
  for (size_t i = 0; i < size; ++i) {
    hex += "0123456789abcdef"[data[i] >> 4];
    hex += "0123456789abcdef"[data[i] & 15];
  }
  return hex;
}

template <typename Encode>
std::string Encoded(Encode encode) {
  uint8_t memory[256];
  journal::CborEncoder encoder(memory, sizeof(memory));
  encode(&encoder);
  REQUIRE(encoder.ok());
  return Hex(memory, encoder.size());
}

}  // namespace

TEST_CASE("the encoder writes the examples of RFC 8949 appendix A") {
  using Encoder = journal::CborEncoder;
  CHECK(Encoded([](Encoder* e) { e->Uint(0); }) == "00");
  CHECK(Encoded([](Encoder* e) { e->Uint(23); }) == "17");
  CHECK(Encoded([](Encoder* e) { e->Uint(24); }) == "1818");
  CHECK(Encoded([](Encoder* e) { e->Uint(1000); }) == "1903e8");
  CHECK(Encoded([](Encoder* e) { e->Uint(1000000); }) == "1a000f4240");
  CHECK(Encoded([](Encoder* e) { e->Uint(UINT64_MAX); }) == "1bffffffffffffffff");
  CHECK(Encoded([](Encoder* e) { e->Int(-1); }) == "20");
  CHECK(Encoded([](Encoder* e) { e->Int(-1000); }) == "3903e7");
  CHECK(Encoded([](Encoder* e) { e->Int(INT64_MIN); }) == "3b7fffffffffffffff");
  CHECK(Encoded([](Encoder* e) { e->Bytes("\x01\x02\x03\x04", 4); }) == "4401020304");
  CHECK(Encoded([](Encoder* e) { e->Text("IETF"); }) == "6449455446");
  CHECK(Encoded([](Encoder* e) {
          e->Map(1);
          e->Text("a");
          e->Array(2);
          e->Uint(1);
          e->Null();
        }) == "a161618201f6");
  CHECK(Encoded([](Encoder* e) {
          e->Tag(1129775105);
          e->Bytes("", 0);
        }) == "da4357000140");
}

TEST_CASE(
    "an encoder without enough space writes nothing beyond it and reports the size that it needs") {
  uint8_t memory[8];
  std::memset(memory, 0xaa, sizeof(memory));
  journal::CborEncoder encoder(memory, 4);
  encoder.Text("abc");
  encoder.Text("def");
  encoder.Uint(1);
  CHECK_FALSE(encoder.ok());
  CHECK(encoder.size() == 9);
  CHECK(Hex(memory, 8) == "63616263aaaaaaaa");
}

TEST_CASE("a key is found after values of every kind, and nothing is read beyond the end") {
  uint8_t memory[128];
  journal::CborEncoder encoder(memory, sizeof(memory));
  encoder.Map(3);
  encoder.Text("a");
  encoder.Array(2);
  encoder.Bytes("xy", 2);
  encoder.Map(1);
  encoder.Uint(1);
  encoder.Tag(7);
  encoder.Null();
  encoder.Text("b");
  encoder.Int(-5);
  encoder.Text("seq");
  encoder.Uint(77);
  journal::CborCursor cursor(memory, encoder.size());
  REQUIRE(journal::FindCborKey(&cursor, "seq"));
  journal::CborHead head;
  REQUIRE(cursor.NextHead(&head));
  CHECK(head.value == 77);
  for (size_t size = 0; size < encoder.size(); ++size) {
    journal::CborCursor cut(memory, size);
    if (journal::FindCborKey(&cut, "seq")) CHECK_FALSE(cut.NextHead(&head));
  }
}
