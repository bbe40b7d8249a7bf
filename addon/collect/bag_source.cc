#include "collect/bag_source.h"

#include <cstring>

#include "collect/utf16.h"

namespace collect {
namespace {

HResult Answer(const BagValue& stored, SourceValue* value) {
  value->kind = stored.kind;
  value->number = stored.number;
  std::memcpy(value->date, &stored.date, sizeof value->date);
  value->data = stored.bytes.data();
  value->size = stored.bytes.size();
  return stored.result;
}

using BagProperties = std::map<std::u16string, BagValue, std::less<>>;

HResult Find(const BagProperties& properties, std::u16string_view name, SourceValue* value) {
  const auto found = properties.find(name);
  return found == properties.end() ? kPropertyEmpty : Answer(found->second, value);
}

std::u16string_view WithoutPrefix(std::u16string_view name) {
  for (const std::u16string_view prefix : {u"Request.", u"Subject."}) {
    if (name.starts_with(prefix)) return name.substr(prefix.size());
  }
  return name;
}

BagValue OfBytes(std::span<const uint8_t> bytes) {
  BagValue value;
  value.kind = SourceValue::Kind::kBytes;
  value.bytes.assign(bytes.begin(), bytes.end());
  return value;
}

}  // namespace

BagValue BagValue::Long(int32_t number) {
  BagValue value;
  value.kind = SourceValue::Kind::kLong;
  value.number = number;
  return value;
}

BagValue BagValue::Date(double date) {
  BagValue value;
  value.kind = SourceValue::Kind::kDate;
  value.date = date;
  return value;
}

BagValue BagValue::Binary(std::vector<uint8_t> bytes) { return OfBytes(bytes); }

BagValue BagValue::Text(std::u16string_view text) { return OfBytes(BytesOf(text)); }

BagValue BagValue::Failure(HResult result) {
  BagValue value;
  value.result = result;
  return value;
}

HResult BagSource::Open(int32_t) { return bag_.open_result; }

HResult BagSource::GetRequestProperty(std::u16string_view name, PropertyType, SourceValue* value) {
  return Find(bag_.request, WithoutPrefix(name), value);
}

HResult BagSource::GetCertificateProperty(std::u16string_view name, PropertyType,
                                          SourceValue* value) {
  return Find(bag_.certificate, WithoutPrefix(name), value);
}

HResult BagSource::GetAttribute(std::u16string_view name, SourceValue* value) {
  for (const auto& [attribute, stored] : bag_.attributes) {
    if (attribute == name) return Answer(stored, value);
  }
  return kPropertyEmpty;
}

HResult BagSource::GetExtension(std::u16string_view oid, SourceValue* value) {
  for (const auto& extension : bag_.extensions) {
    if (extension.oid != oid) continue;
    last_flags_ = extension.flags;
    return Answer(extension.der, value);
  }
  return kPropertyEmpty;
}

HResult BagSource::GetExtensionFlags(int32_t* flags) {
  *flags = last_flags_;
  return kOk;
}

HResult BagSource::BeginAttributes() {
  next_attribute_ = 0;
  return kOk;
}

HResult BagSource::NextAttribute(std::u16string* name) {
  if (next_attribute_ == bag_.attributes.size()) return kFalse;
  *name = bag_.attributes[next_attribute_++].first;
  return kOk;
}

HResult BagSource::BeginExtensions() {
  next_extension_ = 0;
  return kOk;
}

HResult BagSource::NextExtension(std::u16string* oid) {
  if (next_extension_ == bag_.extensions.size()) return kFalse;
  *oid = bag_.extensions[next_extension_++].oid;
  return kOk;
}

}  // namespace collect
