#ifndef CERTWIRE_STANDIN_VALUE_JSON_H_
#define CERTWIRE_STANDIN_VALUE_JSON_H_

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "scenario.h"

namespace standin {

/// Large values by name, which many values may share.
using Blobs = std::map<std::string, std::shared_ptr<const std::string>>;

// Of the forms that test/scenarios/README.md describes. All throw std::exception for any other.

/// An HRESULT as hexadecimal text.
HRESULT ParseResult(const nlohmann::json& value);
std::shared_ptr<const std::string> Shared(std::string bytes);
/// A name or text: a JSON string, or {utf16: base64 of UTF-16LE} for what JSON can't carry.
std::wstring ParseText(const nlohmann::json& value);
Value ParseValue(const nlohmann::json& source, const Blobs& blobs);
Properties ParseProperties(const nlohmann::json& source, const Blobs& blobs);

}  // namespace standin

#endif  // CERTWIRE_STANDIN_VALUE_JSON_H_
