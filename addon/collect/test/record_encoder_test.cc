#include "collect/record_encoder.h"

#include <doctest/doctest.h>

#include <array>

#include "cbor_text.h"
#include "collect/utf16.h"

namespace collect {
namespace {

using Group = Record::Group;

TEST_CASE("an empty record holds the fixed keys only") {
  Record record;
  record.event = 0x40;
  record.context = -1;
  record.time = 134'000'000'000'000'000;
  record.process_id = 4;
  record.thread_id = 300;
  CHECK(CborText(record) ==
        R"({"pid": 4, "tid": 300, "time": 134000000000000000, "event": 64, "context": -1})");
}

TEST_CASE("every kind of value and every group is encoded as the format says") {
  Record record;
  record.event = 1;
  const uint8_t bytes[] = {0x30, 0x00, 0xFF};
  const uint8_t date[] = {1, 2, 3, 4, 5, 6, 7, 8};
  record.AddProperty(Group::kRequest, u"StatusCode", Value::Integer(INT32_MIN));
  record.AddProperty(Group::kRequest, u"RequestID", Value::Integer(42));
  record.AddProperty(Group::kRequest, u"RawName", Value::Binary(bytes));
  record.AddProperty(Group::kCertificate, u"NotBefore", Value::Date(date));
  record.AddProperty(Group::kCa, u"Name", Value::Text(BytesOf(u"Käse\U0001F9C0")));
  record.AddAttribute(u"ccm", Value::Text(BytesOf(u"a\xD800")));
  record.AddAttribute(u"\xDC00", Value());
  record.AddExtension(u"2.5.29.17", 0x20001, Value::Binary({}));
  record.AddCrl(3, true, Value::Binary(bytes));
  record.AddProblem(u"request.Officer", Reason::kHResult, 0x80070057);
  record.AddProblem(u"attributes", Reason::kLimit);
  CHECK(CborText(record) ==
        R"({"ca": {"Name": "Käse🧀"}, "pid": 0, "tid": 0, "crls": [[3, 1, h'3000ff']], "time": 0, )"
        R"("event": 1, "errors": [["request.Officer", 2147942487], ["attributes", "limit"]], )"
        R"("context": 0, "request": {"RawName": h'3000ff', "RequestID": 42, )"
        R"("StatusCode": -2147483648}, "attributes": [["ccm", 1129775105(h'610000d8')], )"
        R"([1129775105(h'00dc'), 1129775108(null)]], "extensions": [["2.5.29.17", 131073, h'']], )"
        R"("certificate": {"NotBefore": 1129775106(h'0102030405060708')}})");
}

TEST_CASE("the CRL of a partition has the partition behind it") {
  Record record;
  record.AddCrl(0, false, Value::Binary(std::array<uint8_t, 1>{0x30}), 2);
  record.AddCrl(0, false, Value::Binary(std::array<uint8_t, 1>{0x31}));
  CHECK(CborText(record).find(R"("crls": [[0, 0, h'30', 2], [0, 0, h'31']])") != std::string::npos);
}

TEST_CASE("an event bit above the sign is encoded as an unsigned number") {
  Record record;
  record.event = INT32_MIN;
  CHECK(CborText(record).find(R"("event": 2147483648)") != std::string::npos);
}

TEST_CASE("a text with an odd number of bytes keeps all of them") {
  Record record;
  const uint8_t odd[] = {'a', 0, 'b'};
  record.AddProperty(Group::kRequest, u"CallerName", Value::Text(odd));
  CHECK(CborText(record).find(R"("CallerName": 1129775105(h'610062'))") != std::string::npos);
}

TEST_CASE("encoding into too little memory writes nothing beyond it") {
  Record record;
  record.AddProperty(Group::kCa, u"Name", Value::Text(BytesOf(u"name")));
  std::vector<uint8_t> memory(10, 0xEE);
  CHECK(EncodeRecord(record, memory.data(), 5) == EncodedSize(record));
  CHECK(std::vector<uint8_t>(memory.begin() + 5, memory.end()) == std::vector<uint8_t>(5, 0xEE));
}

}  // namespace
}  // namespace collect
