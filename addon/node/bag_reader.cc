#include "bag_reader.h"

#include <utility>

namespace binding {
namespace {

using collect::BagValue;

BagValue Bytes(const Napi::Value& value) {
  const auto buffer = value.As<Napi::Buffer<uint8_t>>();
  return BagValue::Binary({buffer.Data(), buffer.Data() + buffer.Length()});
}

bool ReadValue(const Napi::Value& value, BagValue* out) {
  if (!value.IsObject()) return false;
  const auto object = value.As<Napi::Object>();
  if (object.Has("long")) {
    *out = BagValue::Long(object.Get("long").ToNumber().Int32Value());
  } else if (object.Has("date")) {
    *out = BagValue::Date(object.Get("date").ToNumber().DoubleValue());
  } else if (object.Has("string")) {
    *out = BagValue::Text(object.Get("string").ToString().Utf16Value());
  } else if (object.Has("hresult")) {
    *out = BagValue::Failure(object.Get("hresult").ToNumber().Uint32Value());
  } else if (object.Get("binary").IsBuffer()) {
    *out = Bytes(object.Get("binary"));
  } else {
    return false;
  }
  return true;
}

template <typename Map>
bool ReadProperties(const Napi::Value& value, Map* out) {
  if (!value.IsObject()) return false;
  const auto object = value.As<Napi::Object>();
  const Napi::Array names = object.GetPropertyNames();
  for (uint32_t i = 0; i < names.Length(); i++) {
    const Napi::Value name = names.Get(i);
    if (!ReadValue(object.Get(name), &(*out)[name.ToString().Utf16Value()])) return false;
  }
  return true;
}

bool ReadAttributes(const Napi::Value& value, collect::PropertyBag* bag) {
  if (!value.IsArray()) return false;
  const auto rows = value.As<Napi::Array>();
  for (uint32_t i = 0; i < rows.Length(); i++) {
    if (!rows.Get(i).IsArray()) return false;
    const auto row = rows.Get(i).As<Napi::Array>();
    bag->attributes.emplace_back(row.Get(0u).ToString().Utf16Value(),
                                 BagValue::Text(row.Get(1u).ToString().Utf16Value()));
  }
  return true;
}

bool ReadExtensions(const Napi::Value& value, collect::PropertyBag* bag) {
  if (!value.IsArray()) return false;
  const auto rows = value.As<Napi::Array>();
  for (uint32_t i = 0; i < rows.Length(); i++) {
    if (!rows.Get(i).IsArray()) return false;
    const auto row = rows.Get(i).As<Napi::Array>();
    if (!row.Get(2u).IsBuffer()) return false;
    bag->extensions.push_back({row.Get(0u).ToString().Utf16Value(),
                               row.Get(1u).ToNumber().Int32Value(), Bytes(row.Get(2u))});
  }
  return true;
}

}  // namespace

bool ReadBag(const Napi::Object& event, collect::PropertyBag* bag) {
  return ReadProperties(event.Get("request"), &bag->request) &&
         ReadProperties(event.Get("certificate"), &bag->certificate) &&
         ReadAttributes(event.Get("attributes"), bag) &&
         ReadExtensions(event.Get("extensions"), bag);
}

}  // namespace binding
