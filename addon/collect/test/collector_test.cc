#include "collect/collector.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "cbor_text.h"
#include "collect/property_table.h"
#include "collect/recorder.h"
#include "scripted_source.h"

namespace collect {
namespace {

constexpr HResult kAccessDenied = 0x80070005;
constexpr int32_t kDispositionIssued = 20;  // DB_DISP_ISSUED

const Value* Find(const Record& record, Record::Group group, std::string_view name) {
  for (const NamedValue& entry : record.properties(group)) {
    if (entry.name == name) return &entry.value;
  }
  return nullptr;
}

TEST_CASE("everything that the CA has is recorded under its own name") {
  ScriptedSource source;
  source.bag.request[u"RequestID"] = BagValue::Long(42);
  source.bag.request[u"CommonName"] = BagValue::Text(u"requested");
  source.bag.certificate[u"CommonName"] = BagValue::Text(u"issued");
  source.bag.certificate[u"SanitizedCAName"] = BagValue::Text(u"CA");
  source.bag.attributes = {{u"ccm", BagValue::Text(u"host")}};
  source.bag.extensions = {{u"2.5.29.17", 1, BagValue::Binary({0x30, 0x00})}};
  const Record record = CollectFrom(source, kCertificateIssued);
  CHECK(CborText(record) ==
        R"({"ca": {"SanitizedCAName": "CA"}, "pid": 0, "tid": 0, "time": 0, "event": 1, )"
        R"("context": 77, "request": {"RequestID": 42, "CommonName": "requested"}, )"
        R"("attributes": [["ccm", "host"]], "extensions": [["2.5.29.17", 1, h'3000']], )"
        R"("certificate": {"CommonName": "issued"}})");
  CHECK(record.RequestId() == 42);
}

TEST_CASE("names of the request are asked with the prefix Subject, columns without one") {
  ScriptedSource source;
  CollectFrom(source, kRequestPending);
  CHECK(source.Asked(u"R.Subject.CommonName"));
  CHECK(source.Asked(u"C.CommonName"));
  CHECK(source.Asked(u"R.StatusCode"));
  CHECK_FALSE(source.Asked(u"R.Request.StatusCode"));
}

TEST_CASE("a refused name is asked again with the prefix Request") {
  ScriptedSource source;
  source.bag.request[u"StatusCode"] = BagValue::Long(7);
  source.bag.request[u"Title"] = BagValue::Text(u"Dr");
  source.intercept = [](std::u16string_view call) -> std::optional<BagValue> {
    const bool refused = call == u"R.StatusCode" || call == u"R.Subject.Title";
    return refused ? std::optional(BagValue::Failure(0x80070057)) : std::nullopt;
  };
  const Record record = CollectFrom(source, kRequestDenied);
  CHECK(Problems(record) == "");
  CHECK(Find(record, Record::Group::kRequest, "StatusCode")->number == 7);
  CHECK(Find(record, Record::Group::kRequest, "Title") != nullptr);
}

TEST_CASE("the archived key is never asked for") {
  ScriptedSource source;
  for (const int32_t event : {0x1, 0x2, 0x4, 0x8, 0x10, 0x20, 0x40, 0x80, 0x200, 0x400}) {
    CollectFrom(source, event);
  }
  for (const auto& call : source.calls) {
    CHECK(call.find(u"ArchivedKey") == std::u16string::npos);
  }
}

TEST_CASE("the value of a password attribute is not even read") {
  ScriptedSource source;
  source.bag.attributes = {{u"Challenge", BagValue::Text(u"s3cret")},
                           {u"Expected-challenge", BagValue::Text(u"s3cret")}};
  source.bag.request[u"RequestAttributes"] = BagValue::Text(u"Challenge:s3cret\nccm:x");
  const Record record = CollectFrom(source, kCertificateIssued);
  CHECK_FALSE(source.Asked(u"A.Challenge"));
  const std::string text = CborText(record);
  CHECK(text.find("s3cret") == std::string::npos);
  CHECK(text.find(R"(["Challenge", 1129775108(null)])") != std::string::npos);
  CHECK(text.find("Challenge:[redacted]\nccm:x") != std::string::npos);
}

TEST_CASE("names of the settings are not read either") {
  ScriptedSource source;
  source.bag.attributes = {{u"EmployeePin", BagValue::Text(u"s3cret")},
                           {u"Chal%6cenge", BagValue::Text(u"s3cret")},
                           {u"ccm", BagValue::Text(u"host")}};
  source.bag.request[u"RequestAttributes"] = BagValue::Text(u"employee-pin:s3cret\nccm:x");
  const SecretNames names({u"Employee PIN"});
  const Record record = CollectFrom(source, kCertificateIssued, &names);
  CHECK_FALSE(source.Asked(u"A.EmployeePin"));
  CHECK(source.Asked(u"A.ccm"));
  const std::string text = CborText(record);
  CHECK(text.find("s3cret") == std::string::npos);
  CHECK(text.find(R"(["EmployeePin", 1129775108(null)])") != std::string::npos);
}

TEST_CASE("while the names of the settings are not known, no attribute is read") {
  ScriptedSource source;
  source.bag.attributes = {{u"EmployeePin", BagValue::Text(u"s3cret")}};
  source.bag.request[u"RequestAttributes"] = BagValue::Text(u"EmployeePin:s3cret");
  source.bag.request[u"RequestID"] = BagValue::Long(42);
  const Record record = CollectFrom(source, kCertificateIssued, nullptr);
  CHECK(record.RequestId() == 42);
  CHECK(CborText(record).find("s3cret") == std::string::npos);
  CHECK(Problems(record) == "request.RequestAttributes budget\nattribute.EmployeePin budget\n");
}

TEST_CASE("of the attestation challenge only size and hash are recorded") {
  ScriptedSource source;
  source.bag.request[u"AttestationChallenge"] = BagValue::Binary({'a', 'b', 'c'});
  const Record record = CollectFrom(source, kRequestPending);
  CHECK(CborText(record).find(
            R"("AttestationChallenge": 1129775109([3, h'ba7816bf8f01cfea414140de5dae2223)"
            R"(b00361a396177a9cb410ff61f20015ad'])") != std::string::npos);
  CHECK(CborText(record).find("616263") == std::string::npos);
}

TEST_CASE("every property failing leaves a record that names each of them once") {
  ScriptedSource source;
  source.intercept = [](std::u16string_view call) -> std::optional<BagValue> {
    if (call == u"Open") return std::nullopt;
    return BagValue::Failure(kAccessDenied);
  };
  const Record record = CollectFrom(source, kCertificateIssued);
  CHECK(record.properties(Record::Group::kRequest).empty());
  const auto wanted = [](const Property& property) {
    return (property.topics & kAboutRequest) != 0;
  };
  const auto table = Properties();
  const auto expected = static_cast<size_t>(std::count_if(table.begin(), table.end(), wanted));
  CHECK(record.problems().size() == expected + 2);  // attributes and extensions
  CHECK(Problems(record).starts_with("request.RequestID 80070005\nrequest.Disposition 80070005\n"));
  CHECK(Problems(record).ends_with("attributes 80070005\nextensions 80070005\n"));
}

TEST_CASE("without a server object the record holds only why") {
  ScriptedSource source;
  source.bag.open_result = 0x800401F0;
  const Record record = CollectFrom(source, kCertificateIssued);
  CHECK(Problems(record) == "server 800401f0\n");
  CHECK(source.calls.size() == 1);
}

TEST_CASE("a value of another type is left out and named") {
  ScriptedSource source;
  source.bag.request[u"RequestID"] = BagValue::Text(u"42");
  source.bag.request[u"CallerName"] = BagValue::Long(1);
  source.bag.request[u"SubmittedWhen"] = BagValue::Long(1);
  source.bag.request[u"RawRequest"] = BagValue::Failure(kOk);
  source.bag.attributes = {{u"ccm", BagValue::Long(3)}};
  source.bag.extensions = {{u"2.5.29.15", 0, BagValue::Date(1.5)}};
  const Record record = CollectFrom(source, kCertificateIssued);
  CHECK(Problems(record) ==
        "request.RequestID type\nrequest.CallerName type\nrequest.SubmittedWhen type\n"
        "request.RawRequest type\nattribute.ccm type\nextension.2.5.29.15 type\n");
  CHECK(record.RequestId() == 0);
}

TEST_CASE("extension flags that cannot be read are named and the extension stays") {
  ScriptedSource source;
  source.bag.extensions = {{u"2.5.29.15", 5, BagValue::Binary({3})}};
  source.intercept = [](std::u16string_view call) -> std::optional<BagValue> {
    return call == u"Flags" ? std::optional(BagValue::Failure(kAccessDenied)) : std::nullopt;
  };
  const Record record = CollectFrom(source, kCertificateIssued);
  CHECK(Problems(record) == "extension.2.5.29.15 80070005\n");
  REQUIRE(record.extensions().size() == 1);
  CHECK(record.extensions()[0].flags == 0);
}

TEST_CASE("an enumeration that fails half way keeps what came before and is closed") {
  ScriptedSource source;
  source.bag.attributes = {{u"ccm", BagValue::Text(u"a")}, {u"rmd", BagValue::Text(u"b")}};
  int calls = 0;
  source.intercept = [&](std::u16string_view call) -> std::optional<BagValue> {
    if (call != u"NextAttribute" || ++calls < 2) return std::nullopt;
    return BagValue::Failure(kAccessDenied);
  };
  const Record record = CollectFrom(source, kCertificateIssued);
  CHECK(record.attributes().size() == 1);
  CHECK(Problems(record) == "attributes 80070005\n");
}

TEST_CASE("after half a second optional properties are skipped and named") {
  ScriptedSource source;
  source.bag.request[u"RequestID"] = BagValue::Long(42);
  source.ms_per_call = 50;
  const Record record = CollectFrom(source, kCertificateIssued);
  CHECK(source.calls.size() == 10);
  CHECK(record.RequestId() == 42);
  CHECK(Problems(record).find("request.RawRequest budget\n") != std::string::npos);
  CHECK(Problems(record).find("request.StatusCode budget\n") == std::string::npos);
  CHECK(Problems(record).ends_with("attributes budget\nextensions budget\n"));
}

TEST_CASE("request ID and disposition are read even when a call took ten seconds") {
  ScriptedSource source;
  source.bag.request[u"RequestID"] = BagValue::Long(42);
  source.bag.request[u"Disposition"] = BagValue::Long(kDispositionIssued);
  source.bag.request[u"RevokedReason"] = BagValue::Long(-1);
  source.ms_per_call = 10'000;
  const Record record = CollectFrom(source, kCertificateRevoked);
  CHECK(record.properties(Record::Group::kRequest).size() == 3);
  CHECK(source.calls.size() == 4);
}

TEST_CASE("a budget that runs out within an enumeration names what was not read") {
  ScriptedSource source;
  source.bag.attributes = {{u"ccm", BagValue::Text(u"a")}, {u"rmd", BagValue::Text(u"b")}};
  source.intercept = [&](std::u16string_view call) -> std::optional<BagValue> {
    if (call == u"A.ccm") source.clock.monotonic_ms += 600;
    return std::nullopt;
  };
  const Record record = CollectFrom(source, kCertificateIssued);
  CHECK(record.attributes().size() == 1);
  CHECK(Problems(record) == "attribute.rmd budget\nextensions budget\n");
}

TEST_CASE("a CRL event holds the CRLs of every CA certificate that publishes its own") {
  ScriptedSource source;
  auto& ca = source.bag.certificate;
  ca[u"CertCount"] = BagValue::Long(3);
  ca[u"CRLState.0"] = BagValue::Long(3);
  ca[u"RawCRL.0"] = BagValue::Binary({1});
  ca[u"RawDeltaCRL.0"] = BagValue::Failure(kFileNotFound);
  ca[u"CRLState.1"] = BagValue::Long(1);
  ca[u"RawCRL.1"] = BagValue::Binary({2});
  ca[u"CRLState.2"] = BagValue::Long(3);
  ca[u"RawCRL.2"] = BagValue::Failure(kFileNotFound);
  ca[u"RawDeltaCRL.2"] = BagValue::Binary({3});
  const Record record = CollectFrom(source, kCrlIssued);
  REQUIRE(record.crls().size() == 2);
  CHECK(record.crls()[0].index == 0);
  CHECK_FALSE(record.crls()[0].delta);
  CHECK(record.crls()[1].index == 2);
  CHECK(record.crls()[1].delta);
  CHECK(Problems(record) == "ca.RawCRL.2 80070002\n");
  CHECK_FALSE(source.Asked(u"C.RawCRL.1"));
  CHECK_FALSE(source.Asked(u"R.RequestID"));
  CHECK(Find(record, Record::Group::kCa, "CRLState.1")->number == 1);
}

/// A CA with a base CRL of 67 MB, as of a million revoked certificates.
void SetLargeCrl(ScriptedSource* source) {
  auto& ca = source->bag.certificate;
  ca[u"RawCACertificate"] = BagValue::Binary({9});
  ca[u"CertCount"] = BagValue::Long(1);
  ca[u"CRLState.0"] = BagValue::Long(3);
  std::vector<uint8_t> base(67'000'000, 0x30);
  ca[u"RawCRL.0"] = BagValue::Binary(std::move(base));
  ca[u"RawDeltaCRL.0"] = BagValue::Binary({1, 2});
}

TEST_CASE("a base CRL of 67 MB leaves the delta CRL and the CA certificate in the record") {
  ScriptedSource source;
  SetLargeCrl(&source);
  // Nothing can be read after it.
  source.intercept = [&](std::u16string_view call) -> std::optional<BagValue> {
    if (call == u"C.RawCRL.0") source.clock.monotonic_ms += 10'000;
    return std::nullopt;
  };
  const Record record = CollectFrom(source, kCrlIssued);
  CHECK(Find(record, Record::Group::kCa, "RawCACertificate") != nullptr);
  REQUIRE(record.crls().size() == 2);
  CHECK(record.crls()[0].der.kind == Value::Kind::kCut);
  CHECK(record.crls()[0].der.whole_size == 67'000'000);
  CHECK_FALSE(record.crls()[0].der.has_hash);
  CHECK(record.crls()[1].delta);
  CHECK(record.crls()[1].der.bytes == std::vector<uint8_t>{1, 2});
  CHECK(Problems(record).starts_with("ca.RawCRL.0 cut\n"));
  CHECK(CborText(record).find("1129775107([67000000, h'', ") != std::string::npos);
}

/// A clock that goes on by a millisecond whenever it is read.
class TickingClock : public Clock {
 public:
  uint64_t UtcTime() const override { return 0; }
  uint64_t MonotonicMs() const override { return ticks_++; }

 private:
  mutable uint64_t ticks_ = 0;
};

TEST_CASE("hashing ends before the budget does, and what comes after it is still read") {
  for (const uint32_t budget_ms : {110u, 1000u}) {
    CAPTURE(budget_ms);
    ScriptedSource source;
    SetLargeCrl(&source);
    const TickingClock clock;
    const SecretNames secrets;
    Record record;
    record.event = kCrlIssued;
    Collect(source, clock, {budget_ms, &secrets}, &record);
    REQUIRE(record.crls().size() == 2);
    CHECK(record.crls()[0].der.has_hash == (budget_ms == 1000));
    CHECK(source.Asked(u"C.fUseDS"));
    CHECK(Problems(record) == "ca.RawCRL.0 cut\n");
  }
}

TEST_CASE("CRLs are read although their state cannot be") {
  ScriptedSource source;
  source.bag.certificate[u"CertCount"] = BagValue::Long(1);
  source.bag.certificate[u"CRLState.0"] = BagValue::Failure(kAccessDenied);
  source.bag.certificate[u"RawCRL.0"] = BagValue::Binary({1});
  const Record record = CollectFrom(source, kCrlIssued);
  CHECK(record.crls().size() == 1);
  CHECK(Problems(record) == "ca.CRLState.0 80070005\n");
}

TEST_CASE("a start record describes the CA and every CA certificate") {
  ScriptedSource source;
  source.bag.certificate[u"CertCount"] = BagValue::Long(1);
  source.bag.certificate[u"RawCACertificate.0"] = BagValue::Binary({1});
  const Record record = CollectFrom(source, kStarted);
  CHECK(Find(record, Record::Group::kCa, "RawCACertificate.0") != nullptr);
  CHECK(source.Asked(u"C.fUseDS"));
  CHECK_FALSE(source.Asked(u"C.RawCRL.0"));
}

TEST_CASE("an unknown event bit is recorded with everything about request and CA") {
  ScriptedSource source;
  source.bag.request[u"RequestID"] = BagValue::Long(42);
  const Record record = CollectFrom(source, 0x800);
  CHECK(record.event == 0x800);
  CHECK(record.RequestId() == 42);
  CHECK(source.Asked(u"C.fUseDS"));
}

TEST_CASE("a fault ends all reading at once") {
  const auto fault_at = [](std::u16string_view at) {
    ScriptedSource source;
    source.bag.request[u"RequestID"] = BagValue::Long(42);
    source.bag.attributes = {{u"ccm", BagValue::Text(u"a")}};
    source.bag.extensions = {{u"2.5.29.15", 5, BagValue::Binary({3})}};
    source.bag.certificate[u"CertCount"] = BagValue::Long(1);
    source.intercept = [&](std::u16string_view call) -> std::optional<BagValue> {
      if (call != at) return std::nullopt;
      source.faulted = true;
      return BagValue::Failure(0xC0000005);
    };
    const Record record = CollectFrom(source, at.starts_with(u"C.RawDelta") ? kCrlIssued : 1);
    CHECK(source.calls.back() == at);  // ScriptedSource fails the test when it is called again
    return Problems(record);
  };
  CHECK(fault_at(u"Open") == "server fault\n");
  CHECK(fault_at(u"R.Disposition") == "request.Disposition fault\n");
  CHECK(fault_at(u"C.RawCertificate") == "certificate.RawCertificate fault\n");
  CHECK(fault_at(u"BeginAttributes") == "attributes fault\n");
  CHECK(fault_at(u"NextAttribute") == "attributes fault\n");
  CHECK(fault_at(u"A.ccm") == "attribute.ccm fault\n");
  CHECK(fault_at(u"NextExtension") == "extensions fault\n");
  CHECK(fault_at(u"Flags") == "extension.2.5.29.15 fault\n");
  CHECK(fault_at(u"C.RawDeltaCRL.0") == "ca.RawDeltaCRL.0 fault\n");
}

}  // namespace
}  // namespace collect
