#include "collect/record.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "collect/record_encoder.h"
#include "collect/utf16.h"
#include "journal/sha256.h"

namespace collect {
namespace {

/// Bytes at most of a value that was cut: both ends, hash, heads.
constexpr size_t kCutValueBytes = 2 * kCutEndBytes + 64;
/// Fixed keys and heads of the record.
constexpr size_t kFrameBytes = 4096;
/// Heads and numbers of an entry beside its name and value, at most.
constexpr size_t kHeadBytes = 32;

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

/// Hashed between two looks at the clock; takes a few milliseconds at most.
constexpr size_t kHashStepBytes = journal::kMebibyte / 2;

Value Cut(std::span<const uint8_t> bytes, const HashTime& time) {
  Value value = Value::Digest(bytes, time);
  value.kind = Value::Kind::kCut;
  const auto first = bytes.first(kCutEndBytes);
  const auto last = bytes.last(kCutEndBytes);
  value.bytes.reserve(2 * kCutEndBytes);
  value.bytes.assign(first.begin(), first.end());
  value.bytes.insert(value.bytes.end(), last.begin(), last.end());
  return value;
}

std::u16string Widened(std::string_view ascii) { return {ascii.begin(), ascii.end()}; }

std::u16string CrlName(int32_t index, bool delta) {
  return QualifiedName(delta ? "ca.RawDeltaCRL" : "ca.RawCRL", Widened(std::to_string(index)));
}

/// `prefix`, dot and a name that was made by Value::Text.
std::u16string QualifiedText(std::string_view prefix, const Value& name) {
  const auto bytes = name.kind == Value::Kind::kText ? ToUtf16(name.bytes) : name.bytes;
  std::u16string units(bytes.size() / sizeof(char16_t), u'\0');
  std::memcpy(units.data(), bytes.data(), bytes.size());
  return QualifiedName(prefix, units);
}

/// Order of map keys in the deterministic encoding: by their encoded bytes, so the shorter one
/// first.
bool EncodesBefore(const NamedValue& a, const NamedValue& b) {
  return a.name.size() != b.name.size() ? a.name.size() < b.name.size() : a.name < b.name;
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

Value Value::Binary(std::span<const uint8_t> bytes, const HashTime& time) {
  if (bytes.size() > kMaxRecordBytes) return Cut(bytes, time);
  Value value;
  value.kind = Kind::kBinary;
  value.bytes.assign(bytes.begin(), bytes.end());
  return value;
}

Value Value::Text(std::span<const uint8_t> utf16, const HashTime& time) {
  if (utf16.size() > kMaxRecordBytes) return Cut(utf16, time);
  Value value;
  value.kind = Kind::kText;
  if (ToUtf8(utf16, &value.bytes)) return value;
  value.kind = Kind::kUtf16;
  value.bytes.assign(utf16.begin(), utf16.end());
  return value;
}

Value Value::Digest(std::span<const uint8_t> secret, const HashTime& time) {
  Value value;
  value.kind = Kind::kDigest;
  value.whole_size = secret.size();
  journal::Sha256 hash;
  for (auto left = secret; !left.empty();) {
    if (time.IsOver()) return value;
    const auto step = left.first(std::min(left.size(), kHashStepBytes));
    hash.Update(step.data(), step.size());
    left = left.subspan(step.size());
  }
  hash.Finish(value.whole_hash.data());
  value.has_hash = true;
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
void Record::Account(const Value& value, size_t name_bytes, Name name) {
  encoded_bytes_ += name_bytes + EncodedSize(value);
  minimum_bytes_ += name_bytes + MinimumSize(value);
  if (value.kind == Value::Kind::kCut) AddProblem(name(), Reason::kCut);
  while (encoded_bytes_ > max_bytes_ - kFrameBytes && CutLargest()) {
  }
}

void Record::AddProperty(Group group, std::u16string_view name, Value value) {
  auto& values = properties_[static_cast<size_t>(group)];
  NamedValue added{std::string(name.begin(), name.end()), std::move(value)};
  const auto place = values.insert(
      std::upper_bound(values.begin(), values.end(), added, EncodesBefore), std::move(added));
  Account(place->value, name.size() + kHeadBytes,
          [&] { return QualifiedName(GroupName(group), name); });
}

void Record::AddAttribute(std::u16string_view name, Value value) {
  attributes_.push_back({Value::Text(BytesOf(name)), std::move(value)});
  const Attribute& added = attributes_.back();
  Account(added.value, EncodedSize(added.name) + kHeadBytes,
          [&] { return QualifiedName("attribute", name); });
}

void Record::AddExtension(std::u16string_view oid, int32_t flags, Value der) {
  extensions_.push_back({Value::Text(BytesOf(oid)), flags, std::move(der)});
  const Extension& added = extensions_.back();
  Account(added.der, EncodedSize(added.oid) + kHeadBytes,
          [&] { return QualifiedName("extension", oid); });
}

void Record::AddCrl(int32_t index, bool delta, Value der, int32_t partition) {
  const auto place = std::pair(index, delta);
  const auto comes_after = [](const std::pair<int32_t, bool>& added, const Crl& crl) {
    return added < std::pair(crl.index, crl.delta);
  };
  const auto at = crls_.insert(std::upper_bound(crls_.begin(), crls_.end(), place, comes_after),
                               {index, delta, partition, std::move(der)});
  Account(at->der, kHeadBytes, [&] { return CrlName(index, delta); });
}

void Record::AddProblem(std::u16string_view name, Reason reason, HResult result) {
  problems_.push_back({Value::Text(BytesOf(name)), reason, result});
  const size_t size = EncodedSize(problems_.back().name) + kHeadBytes;
  encoded_bytes_ += size;
  minimum_bytes_ += size;
}

// What follows an enumeration fits into the other half even when it has to be cut.
bool Record::HasSpace() const { return minimum_bytes_ < max_bytes_ / 2; }

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
    consider(entry.value, [&] { return QualifiedText("attribute", entry.name); });
  }
  for (Extension& entry : extensions_) {
    consider(entry.der, [&] { return QualifiedText("extension", entry.oid); });
  }
  for (Crl& entry : crls_) consider(entry.der, [&] { return CrlName(entry.index, entry.delta); });
  return largest;
}

bool Record::CutLargest() {
  Candidate largest = FindLargest();
  if (largest.value == nullptr) return false;
  encoded_bytes_ -= EncodedSize(*largest.value);
  const bool is_text = largest.value->kind == Value::Kind::kText;
  *largest.value = is_text ? Cut(ToUtf16(largest.value->bytes), hash_time_)
                           : Cut(largest.value->bytes, hash_time_);
  encoded_bytes_ += EncodedSize(*largest.value);
  AddProblem(largest.name, Reason::kCut);
  return true;
}

}  // namespace collect
