#include "collect/record_encoder.h"

#include <span>
#include <vector>

#include "journal/cbor.h"

namespace collect {
namespace {

using journal::CborEncoder;

constexpr uint64_t kTagUtf16 = 1129775105;
constexpr uint64_t kTagDate = 1129775106;
constexpr uint64_t kTagCut = 1129775107;
constexpr uint64_t kTagRedacted = 1129775108;
constexpr uint64_t kTagDigest = 1129775109;

void WriteBytes(std::span<const uint8_t> bytes, CborEncoder* out) {
  out->Bytes(bytes.data(), bytes.size());
}

void WriteUtf8(std::span<const uint8_t> utf8, CborEncoder* out) {
  out->Text({reinterpret_cast<const char*>(utf8.data()), utf8.size()});
}

void WriteUtf16(std::span<const uint8_t> utf16, CborEncoder* out) {
  out->Tag(kTagUtf16);
  WriteBytes(utf16, out);
}

void WriteHash(const Value& value, CborEncoder* out) {
  out->Bytes(value.whole_hash.data(), value.has_hash ? value.whole_hash.size() : 0);
}

void WriteCut(const Value& value, CborEncoder* out) {
  const std::span<const uint8_t> ends = value.bytes;
  out->Tag(kTagCut);
  out->Array(4);
  out->Uint(value.whole_size);
  WriteHash(value, out);
  WriteBytes(ends.first(kCutEndBytes), out);
  WriteBytes(ends.last(kCutEndBytes), out);
}

void WriteDigest(const Value& value, CborEncoder* out) {
  out->Tag(kTagDigest);
  out->Array(2);
  out->Uint(value.whole_size);
  WriteHash(value, out);
}

void WriteValue(const Value& value, CborEncoder* out) {
  switch (value.kind) {
    case Value::Kind::kInteger:
      return out->Int(value.number);
    case Value::Kind::kText:
      return WriteUtf8(value.bytes, out);
    case Value::Kind::kUtf16:
      return WriteUtf16(value.bytes, out);
    case Value::Kind::kBinary:
      return WriteBytes(value.bytes, out);
    case Value::Kind::kDate:
      out->Tag(kTagDate);
      return WriteBytes(value.bytes, out);
    case Value::Kind::kCut:
      return WriteCut(value, out);
    case Value::Kind::kDigest:
      return WriteDigest(value, out);
    case Value::Kind::kRedacted:
      out->Tag(kTagRedacted);
      return out->Null();
  }
}

void WriteProperties(const std::vector<NamedValue>& properties, CborEncoder* out) {
  out->Map(properties.size());
  for (const NamedValue& property : properties) {
    out->Text(property.name);
    WriteValue(property.value, out);
  }
}

void WriteAttributes(const std::vector<Attribute>& attributes, CborEncoder* out) {
  out->Array(attributes.size());
  for (const Attribute& attribute : attributes) {
    out->Array(2);
    WriteValue(attribute.name, out);
    WriteValue(attribute.value, out);
  }
}

void WriteExtensions(const std::vector<Extension>& extensions, CborEncoder* out) {
  out->Array(extensions.size());
  for (const Extension& extension : extensions) {
    out->Array(3);
    WriteValue(extension.oid, out);
    out->Int(extension.flags);
    WriteValue(extension.der, out);
  }
}

void WriteCrls(const std::vector<Crl>& crls, CborEncoder* out) {
  out->Array(crls.size());
  for (const Crl& crl : crls) {
    out->Array(crl.partition == 0 ? 3 : 4);
    out->Int(crl.index);
    out->Uint(crl.delta ? 1 : 0);
    WriteValue(crl.der, out);
    if (crl.partition != 0) out->Int(crl.partition);
  }
}

void WriteReason(const Problem& problem, CborEncoder* out) {
  switch (problem.reason) {
    case Reason::kHResult:
      return out->Uint(problem.result);
    case Reason::kBudget:
      return out->Text("budget");
    case Reason::kLimit:
      return out->Text("limit");
    case Reason::kType:
      return out->Text("type");
    case Reason::kCut:
      return out->Text("cut");
    case Reason::kFault:
      return out->Text("fault");
  }
}

void WriteProblems(const std::vector<Problem>& problems, CborEncoder* out) {
  out->Array(problems.size());
  for (const Problem& problem : problems) {
    out->Array(2);
    WriteValue(problem.name, out);
    WriteReason(problem, out);
  }
}

size_t CountGroups(const Record& record) {
  const auto is_used = [](const auto& entries) { return entries.empty() ? 0u : 1u; };
  return is_used(record.properties(Record::Group::kRequest)) +
         is_used(record.properties(Record::Group::kCertificate)) +
         is_used(record.properties(Record::Group::kCa)) + is_used(record.attributes()) +
         is_used(record.extensions()) + is_used(record.crls()) + is_used(record.problems());
}

/// A group under its key, unless it is empty.
template <typename Entries>
void WriteGroup(std::string_view key, const Entries& entries,
                void (*write)(const Entries&, CborEncoder*), CborEncoder* out) {
  if (entries.empty()) return;
  out->Text(key);
  write(entries, out);
}

// The keys stand in the order of the deterministic encoding.
void WriteRecord(const Record& record, CborEncoder* out) {
  constexpr size_t kFixedKeys = 5;
  out->Map(kFixedKeys + CountGroups(record));
  WriteGroup("ca", record.properties(Record::Group::kCa), WriteProperties, out);
  out->Text("pid");
  out->Uint(record.process_id);
  out->Text("tid");
  out->Uint(record.thread_id);
  WriteGroup("crls", record.crls(), WriteCrls, out);
  out->Text("time");
  out->Uint(record.time);
  out->Text("event");
  out->Uint(static_cast<uint32_t>(record.event));
  WriteGroup("errors", record.problems(), WriteProblems, out);
  out->Text("context");
  out->Int(record.context);
  WriteGroup("request", record.properties(Record::Group::kRequest), WriteProperties, out);
  WriteGroup("attributes", record.attributes(), WriteAttributes, out);
  WriteGroup("extensions", record.extensions(), WriteExtensions, out);
  WriteGroup("certificate", record.properties(Record::Group::kCertificate), WriteProperties, out);
}

}  // namespace

size_t EncodedSize(const Value& value) {
  CborEncoder counter(nullptr, 0);
  WriteValue(value, &counter);
  return counter.size();
}

size_t EncodedSize(const Record& record) {
  CborEncoder counter(nullptr, 0);
  WriteRecord(record, &counter);
  return counter.size();
}

size_t EncodeRecord(const Record& record, uint8_t* out, size_t capacity) {
  CborEncoder encoder(out, capacity);
  WriteRecord(record, &encoder);
  return encoder.size();
}

}  // namespace collect
