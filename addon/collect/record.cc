#include "collect/record.h"

#include "collect/record_encoder.h"
#include "collect/utf16.h"
#include "journal/sha256.h"

namespace collect {
namespace {

/// Bytes at most of a value that was cut: both ends, hash, heads.
constexpr size_t kCutValueBytes = 2 * kCutEndBytes + 64;
/// Fixed keys and heads of the record.
constexpr size_t kFrameBytes = 4096;
/// Where enumerations end: what follows them fits into the rest even when it has to be cut.
constexpr size_t kRoomBytes = kMaxRecordBytes / 2;

bool IsCuttable(const Value& value) {
  switch (value.kind) {
    case Value::Kind::kText:
    case Value::Kind::kUtf16:
    case Value::Kind::kBinary:
      return value.bytes.size() > kCutValueBytes;
    default:
      return false;
  }
}

size_t MinimumSize(const Value& value) {
  return IsCuttable(value) ? kCutValueBytes : EncodedSize(value);
}

/// Bytes at most of a name: text of three bytes a unit, or UTF-16 under a tag, and heads.
size_t NameSize(size_t units) { return 3 * units + 16; }

Value Cut(std::span<const uint8_t> bytes) {
  Value value;
  value.kind = Value::Kind::kCut;
  value.cut_size = bytes.size();
  journal::Sha256 hash;
  hash.Update(bytes.data(), bytes.size());
  hash.Finish(value.cut_hash.data());
  const auto first = bytes.first(kCutEndBytes);
  const auto last = bytes.last(kCutEndBytes);
  value.bytes.reserve(2 * kCutEndBytes);
  value.bytes.assign(first.begin(), first.end());
  value.bytes.insert(value.bytes.end(), last.begin(), last.end());
  return value;
}

std::u16string Widened(std::string_view ascii) { return {ascii.begin(), ascii.end()}; }

std::u16string CrlName(const Crl& crl) {
  return QualifiedName(crl.delta ? "ca.RawDeltaCRL" : "ca.RawCRL",
                       Widened(std::to_string(crl.index)));
}

}  // namespace

Value Value::Integer(int32_t number) {
  Value value;
  value.kind = Kind::kInteger;
  value.number = number;
  return value;
}

Value Value::Date(std::span<const uint8_t> date) {
  Value value;
  value.kind = Kind::kDate;
  value.bytes.assign(date.begin(), date.end());
  return value;
}

Value Value::Binary(std::span<const uint8_t> bytes) {
  if (bytes.size() > kMaxRecordBytes) return Cut(bytes);
  Value value;
  value.kind = Kind::kBinary;
  value.bytes.assign(bytes.begin(), bytes.end());
  return value;
}

Value Value::Text(std::span<const uint8_t> utf16) {
  if (utf16.size() > kMaxRecordBytes) return Cut(utf16);
  Value value;
  value.kind = Kind::kText;
  if (ToUtf8(utf16, &value.bytes)) return value;
  value.kind = Kind::kUtf16;
  value.bytes.assign(utf16.begin(), utf16.end());
  return value;
}

std::string_view GroupName(Record::Group group) {
  switch (group) {
    case Record::Group::kRequest:
      return "request";
    case Record::Group::kCertificate:
      return "certificate";
    case Record::Group::kCa:
      return "ca";
  }
  return "";
}

std::u16string QualifiedName(std::string_view prefix, std::u16string_view name) {
  std::u16string qualified = Widened(prefix);
  qualified += u'.';
  qualified += name;
  return qualified;
}

template <typename Name>
void Record::Account(const Value& value, size_t name_units, Name name) {
  encoded_bytes_ += NameSize(name_units) + EncodedSize(value);
  minimum_bytes_ += NameSize(name_units) + MinimumSize(value);
  if (value.kind == Value::Kind::kCut) AddProblem(name(), Reason::kCut);
  while (encoded_bytes_ > kMaxRecordBytes - kFrameBytes && CutLargest()) {
  }
}

void Record::AddProperty(Group group, std::u16string_view name, Value value) {
  auto& values = properties_[static_cast<size_t>(group)];
  values.push_back({std::string(name.begin(), name.end()), std::move(value)});
  Account(values.back().value, name.size(), [&] { return QualifiedName(GroupName(group), name); });
}

void Record::AddAttribute(std::u16string name, Value value) {
  attributes_.push_back({std::move(name), std::move(value)});
  const Attribute& added = attributes_.back();
  Account(added.value, added.name.size(), [&] { return QualifiedName("attribute", added.name); });
}

void Record::AddExtension(std::u16string oid, int32_t flags, Value der) {
  extensions_.push_back({std::move(oid), flags, std::move(der)});
  const Extension& added = extensions_.back();
  Account(added.der, added.oid.size(), [&] { return QualifiedName("extension", added.oid); });
}

void Record::AddCrl(int32_t index, bool delta, Value der) {
  crls_.push_back({index, delta, std::move(der)});
  Account(crls_.back().der, 0, [&] { return CrlName(crls_.back()); });
}

void Record::AddProblem(std::u16string name, Reason reason, HResult result) {
  encoded_bytes_ += NameSize(name.size());
  minimum_bytes_ += NameSize(name.size());
  problems_.push_back({std::move(name), reason, result});
}

bool Record::HasRoom() const { return minimum_bytes_ < kRoomBytes; }

int64_t Record::RequestId() const {
  for (const Group group : {Group::kRequest, Group::kCertificate}) {
    for (const NamedValue& entry : properties(group)) {
      if (entry.name == "RequestID") return entry.value.number;
    }
  }
  return 0;
}

const std::vector<NamedValue>& Record::properties(Group group) const {
  return properties_[static_cast<size_t>(group)];
}

Record::Candidate Record::FindLargest() {
  Candidate largest;
  const auto consider = [&largest](Value& value, auto name) {
    const size_t size = largest.value == nullptr ? 0 : largest.value->bytes.size();
    if (IsCuttable(value) && value.bytes.size() > size) largest = {&value, name()};
  };
  for (size_t group = 0; group < properties_.size(); ++group) {
    for (NamedValue& entry : properties_[group]) {
      const auto prefix = GroupName(static_cast<Group>(group));
      consider(entry.value, [&] { return QualifiedName(prefix, Widened(entry.name)); });
    }
  }
  for (Attribute& entry : attributes_) {
    consider(entry.value, [&] { return QualifiedName("attribute", entry.name); });
  }
  for (Extension& entry : extensions_) {
    consider(entry.der, [&] { return QualifiedName("extension", entry.oid); });
  }
  for (Crl& entry : crls_) consider(entry.der, [&] { return CrlName(entry); });
  return largest;
}

bool Record::CutLargest() {
  Candidate largest = FindLargest();
  if (largest.value == nullptr) return false;
  encoded_bytes_ -= EncodedSize(*largest.value);
  const bool is_text = largest.value->kind == Value::Kind::kText;
  *largest.value = is_text ? Cut(ToUtf16(largest.value->bytes)) : Cut(largest.value->bytes);
  encoded_bytes_ += EncodedSize(*largest.value);
  AddProblem(std::move(largest.name), Reason::kCut);
  return true;
}

}  // namespace collect
