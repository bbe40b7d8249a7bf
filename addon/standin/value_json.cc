#include "value_json.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <stdexcept>

#include "text.h"

namespace standin {
namespace {

using nlohmann::json;

std::string Utf16Bytes(const std::wstring& text) {
  return {reinterpret_cast<const char*>(text.data()), text.size() * sizeof(wchar_t)};
}

DATE DateOfBytes(const std::string& bytes) {
  uint64_t bits = 0;
  if (bytes.size() != sizeof(bits)) throw std::invalid_argument("a date has 8 bytes");
  std::memcpy(&bits, bytes.data(), sizeof(bits));
  return std::bit_cast<DATE>(bits);
}

}  // namespace

HRESULT ParseResult(const json& value) {
  return static_cast<HRESULT>(std::stoul(value.get<std::string>(), nullptr, 16));
}

std::shared_ptr<const std::string> Shared(std::string bytes) {
  return std::make_shared<const std::string>(std::move(bytes));
}

std::wstring ParseText(const json& value) {
  if (value.is_string()) return Widen(value.get_ref<const std::string&>());
  const std::string bytes = FromBase64(value.at("utf16").get_ref<const std::string&>());
  std::wstring text(bytes.size() / sizeof(wchar_t), L'\0');
  std::memcpy(text.data(), bytes.data(), text.size() * sizeof(wchar_t));
  return text;
}

Value ParseValue(const json& source, const Blobs& blobs) {
  const auto entry = source.begin();
  const std::string& form = entry.key();
  const json& content = entry.value();
  Value value;
  if (form == "long" || form == "short") {
    value.kind = ValueKind::kLong;
    value.is_short = form == "short";
    value.number = content.get<LONG>();
  } else if (form == "unsigned") {
    value.kind = ValueKind::kLong;
    value.is_unsigned = true;
    value.number = static_cast<LONG>(content.get<ULONG>());
  } else if (form == "date") {
    value.kind = ValueKind::kDate;
    value.date = content.is_string() ? DateOfBytes(FromBase64(content.get<std::string>()))
                                     : content.get<DATE>();
  } else if (form == "string") {
    value.kind = ValueKind::kText;
    value.bytes = Shared(Utf16Bytes(ParseText(content)));
  } else if (form == "utf16") {
    value.kind = ValueKind::kText;
    value.bytes = Shared(FromBase64(content.get_ref<const std::string&>()));
  } else if (form == "binary") {
    value.kind = ValueKind::kBinary;
    value.bytes = Shared(FromBase64(content.get_ref<const std::string&>()));
  } else if (form == "blob") {
    value.kind = ValueKind::kBinary;
    value.bytes = blobs.at(content.get<std::string>());
  } else if (form == "hresult") {
    value.failure = ParseResult(content);
  } else if (form == "variant") {
    value.kind = ValueKind::kOddVariant;
    value.odd_variant = content.get<std::string>();
  } else {
    throw std::invalid_argument("unknown form of a value: " + form);
  }
  return value;
}

Properties ParseProperties(const json& source, const Blobs& blobs) {
  Properties properties;
  for (const auto& [name, value] : source.items()) {
    properties.emplace(Widen(name), ParseValue(value, blobs));
  }
  return properties;
}

}  // namespace standin
