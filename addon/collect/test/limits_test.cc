#include <doctest/doctest.h>

#include "cbor_text.h"
#include "collect/record.h"
#include "collect/record_encoder.h"
#include "collect/recorder.h"
#include "collect/utf16.h"
#include "scripted_source.h"

namespace collect {
namespace {

BagValue Blob(size_t size, uint8_t fill) {
  return BagValue::Binary(std::vector<uint8_t>(size, fill));
}

TEST_CASE("a record below the limit is not cut") {
  ScriptedSource source;
  source.bag.certificate[u"CertCount"] = BagValue::Long(2);
  source.bag.certificate[u"CRLState.0"] = BagValue::Long(3);
  source.bag.certificate[u"CRLState.1"] = BagValue::Long(3);
  source.bag.certificate[u"RawCRL.0"] = Blob(5 * journal::kMebibyte, 1);
  source.bag.certificate[u"RawCRL.1"] = Blob(5 * journal::kMebibyte, 2);
  source.bag.certificate[u"RawDeltaCRL.1"] = Blob(5 * journal::kMebibyte, 3);
  const Record record = CollectFrom(source, kCrlIssued);
  CHECK(Problems(record) == "");
  REQUIRE(record.crls().size() == 3);
  CHECK(record.crls()[2].der.bytes.size() == 5 * journal::kMebibyte);
}

TEST_CASE("the largest value is cut when the record would be too large") {
  ScriptedSource source;
  source.bag.request[u"RawRequest"] = Blob(9 * journal::kMebibyte, 1);
  source.bag.certificate[u"RawCertificate"] = Blob(8 * journal::kMebibyte, 2);
  const Record record = CollectFrom(source, kCertificateIssued);
  CHECK(Problems(record) == "request.RawRequest cut\n");
  const std::string text = CborText(record);
  CHECK(text.find(R"("RawRequest": 1129775107([9437184, h')") != std::string::npos);
  CHECK(text.find("8192 bytes, 8192 bytes])") != std::string::npos);
  CHECK(text.find(R"("RawCertificate": 8388608 bytes)") != std::string::npos);
}

TEST_CASE("a record is cut to what the journal has space for") {
  Record record;
  record.SetMaxBytes(journal::kMebibyte);
  record.AddProperty(Record::Group::kRequest, u"RequesterName", Value::Text(BytesOf(u"user")));
  record.AddProperty(Record::Group::kRequest, u"RawRequest",
                     Value::Binary(std::vector<uint8_t>(2 * journal::kMebibyte)));
  record.AddProperty(Record::Group::kRequest, u"RawName",
                     Value::Binary(std::vector<uint8_t>(journal::kMebibyte / 2)));
  CHECK(EncodedSize(record) <= journal::kMebibyte);
  CHECK(Problems(record) == "request.RawRequest cut\n");
}

TEST_CASE("a cut value keeps its ends, its length and its hash") {
  ScriptedSource source;
  std::vector<uint8_t> bytes(17 * journal::kMebibyte, 7);
  bytes.front() = 1;
  bytes.back() = 9;
  source.bag.request[u"RawRequest"] = BagValue::Binary(bytes);
  const Record record = CollectFrom(source, kCertificateIssued);
  const Value& value = record.properties(Record::Group::kRequest).front().value;
  CHECK(value.kind == Value::Kind::kCut);
  CHECK(value.whole_size == 17 * journal::kMebibyte);
  CHECK(value.bytes.size() == 2 * kCutEndBytes);
  CHECK(value.bytes.front() == 1);
  CHECK(value.bytes.back() == 9);
  const std::array<uint8_t, 4> hash = {value.whole_hash[0], value.whole_hash[1],
                                       value.whole_hash[2], value.whole_hash[3]};
  CHECK(hash == std::array<uint8_t, 4>{0xf6, 0x6d, 0xdf, 0x2c});
}

TEST_CASE("a cut text keeps UTF-16LE bytes") {
  Record record;
  const std::u16string text(6 * journal::kMebibyte, u'ä');
  record.AddProperty(Record::Group::kRequest, u"CallerName", Value::Text(BytesOf(text)));
  record.AddProperty(Record::Group::kRequest, u"RawRequest",
                     Value::Binary(std::vector<uint8_t>(5 * journal::kMebibyte)));
  CHECK(Problems(record) == "request.CallerName cut\n");
  const Value& value = record.properties(Record::Group::kRequest).front().value;
  CHECK(value.whole_size == 12 * journal::kMebibyte);
  CHECK(value.bytes[0] == 0xE4);
  CHECK(value.bytes[1] == 0);
}

TEST_CASE("enumerations of endlessly many large entries stay within the record") {
  ScriptedSource source;
  source.intercept = [](std::u16string_view call) -> std::optional<BagValue> {
    if (call == u"NextExtension" || call == u"NextAttribute") return Blob(2 * 40, 0);
    if (call.starts_with(u"E.") || call.starts_with(u"A.")) return Blob(48 * 1024, 5);
    return std::nullopt;
  };
  const Record record = CollectFrom(source, kCertificateIssued);
  CHECK(record.attributes().size() + record.extensions().size() > 300);
  CHECK(EncodedSize(record) <= kMaxRecordBytes);
  CHECK(Problems(record).find("attributes limit") != std::string::npos);
  CHECK(Problems(record).find("extensions limit") != std::string::npos);
}

TEST_CASE("entries that are too small to be cut stay within the record, too") {
  ScriptedSource source;
  source.intercept = [](std::u16string_view call) -> std::optional<BagValue> {
    if (call == u"NextExtension" || call == u"NextAttribute") return Blob(2 * 1024, 0);
    if (call.starts_with(u"E.") || call.starts_with(u"A.")) return Blob(16 * 1024, 5);
    return std::nullopt;
  };
  const Record record = CollectFrom(source, kCertificateIssued);
  CHECK(EncodedSize(record) <= kMaxRecordBytes);
}

TEST_CASE("a CA that claims endlessly many certificates is asked about 1,024") {
  ScriptedSource source;
  source.bag.certificate[u"CertCount"] = BagValue::Long(INT32_MAX);
  source.intercept = [](std::u16string_view call) -> std::optional<BagValue> {
    if (call.starts_with(u"C.RawCRL.") || call.starts_with(u"C.RawDeltaCRL.")) return Blob(100, 1);
    return std::nullopt;
  };
  const Record record = CollectFrom(source, kCrlIssued);
  CHECK(record.crls().size() == 2048);
  CHECK(Problems(record) == "ca.CertCount limit\n");
}

TEST_CASE("an enumeration of exactly 1,024 entries is complete") {
  ScriptedSource source;
  for (int i = 0; i < 1024; ++i) {
    const std::string digits = std::to_string(i);
    source.bag.attributes.emplace_back(std::u16string(digits.begin(), digits.end()),
                                       BagValue::Text(u"x"));
  }
  CHECK(Problems(CollectFrom(source, kCertificateIssued)) == "");
  source.bag.attributes.emplace_back(u"one more", BagValue::Text(u"x"));
  const Record record = CollectFrom(source, kCertificateIssued);
  CHECK(Problems(record) == "attributes limit\n");
  CHECK(record.attributes().size() == 1024);
}

TEST_CASE("a name that is too long ends its enumeration") {
  ScriptedSource source;
  source.bag.attributes = {{u"ccm", BagValue::Text(u"host")},
                           {std::u16string(1025, u'x'), BagValue::Text(u"y")},
                           {u"rmd", BagValue::Text(u"host")}};
  const Record record = CollectFrom(source, kCertificateIssued);
  CHECK(record.attributes().size() == 1);
  CHECK(Problems(record) == "attributes limit\n");
}

}  // namespace
}  // namespace collect
