#include "scenario.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "text.h"

namespace standin {
namespace {

using nlohmann::json;
using Blobs = std::map<std::string, std::shared_ptr<const std::string>>;

HRESULT ParseResult(const json& value) {
  return static_cast<HRESULT>(std::stoul(value.get<std::string>(), nullptr, 16));
}

std::shared_ptr<const std::string> Shared(std::string bytes) {
  return std::make_shared<const std::string>(std::move(bytes));
}

std::string Utf16Bytes(const std::wstring& text) {
  return {reinterpret_cast<const char*>(text.data()), text.size() * sizeof(wchar_t)};
}

/// A name or text: a JSON string, or {utf16: base64 of UTF-16LE} for what JSON can't carry.
std::wstring ParseText(const json& value) {
  if (value.is_string()) return Widen(value.get_ref<const std::string&>());
  const std::string bytes = FromBase64(value.at("utf16").get_ref<const std::string&>());
  std::wstring text(bytes.size() / sizeof(wchar_t), L'\0');
  std::memcpy(text.data(), bytes.data(), text.size() * sizeof(wchar_t));
  return text;
}

DATE DateOfBytes(const std::string& bytes) {
  uint64_t bits = 0;
  if (bytes.size() != sizeof(bits)) throw std::invalid_argument("a date has 8 bytes");
  std::memcpy(&bits, bytes.data(), sizeof(bits));
  return std::bit_cast<DATE>(bits);
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

Fault ParseFault(const json& source) {
  Fault fault;
  fault.delay_ms = source.value("delayMs", DWORD{0});
  fault.crash = source.value("crash", false);
  fault.endless = source.value("endless", false);
  if (source.contains("hresult")) fault.failure = ParseResult(source.at("hresult"));
  return fault;
}

const json& Member(const json& source, const char* name) {
  static const json kEmpty = json::object();
  const auto found = source.find(name);
  return found == source.end() ? kEmpty : *found;
}

std::map<std::wstring, Fault> ParseFaults(const json& source) {
  std::map<std::wstring, Fault> faults;
  for (const auto& [call, fault] : Member(source, "faults").items()) {
    faults.emplace(Widen(call), ParseFault(fault));
  }
  return faults;
}

Step ParseStep(const json& source, const Blobs& blobs) {
  Step step;
  step.event = source.at("event").get<LONG>();
  step.context = source.at("context").get<LONG>();
  step.chain = source.at("chain").get<std::string>();
  step.late_bound = source.value("via", "vtable") == "dispatch";
  step.request = ParseProperties(Member(source, "request"), blobs);
  step.certificate = ParseProperties(Member(source, "certificate"), blobs);
  step.ca = ParseProperties(Member(source, "ca"), blobs);
  for (const json& entry : Member(source, "attributes")) {
    step.attributes.push_back({ParseText(entry.at(0)), ParseValue(entry.at(1), blobs)});
  }
  for (const json& entry : Member(source, "extensions")) {
    step.extensions.push_back(
        {ParseText(entry.at(0)), entry.at(1).get<LONG>(), ParseValue(entry.at(2), blobs)});
  }
  step.faults = ParseFaults(source);
  return step;
}

Apartment ParseApartment(const std::string& name) {
  if (name == "mta") return Apartment::kMulti;
  if (name == "sta") return Apartment::kSingle;
  if (name == "none") return Apartment::kNone;
  throw std::invalid_argument("unknown apartment: " + name);
}

void ParseHeader(const json& source, const Blobs& blobs, Scenario* scenario) {
  scenario->ca_name = Widen(source.at("caName").get_ref<const std::string&>());
  scenario->ca = ParseProperties(Member(source, "ca"), blobs);
  for (const auto& [name, value] : Member(source, "settings").items()) {
    if (value.is_number()) {
      scenario->numeric_settings.emplace(Widen(name), value.get<DWORD>());
    } else {
      scenario->text_settings.emplace(Widen(name), Widen(value.get_ref<const std::string&>()));
    }
  }
  scenario->threads = source.value("threads", 1U);
  scenario->main_apartment = ParseApartment(source.value("mainApartment", "mta"));
  scenario->worker_apartment = ParseApartment(source.value("workerApartment", "mta"));
  scenario->register_class = source.value("registerClass", true);
  scenario->late_bound = source.value("via", "vtable") == "dispatch";
  scenario->start_and_stop.faults = ParseFaults(source);
  if (source.contains("shutdownAfter")) {
    scenario->shutdown_after = source.at("shutdownAfter").get<size_t>();
  }
}

void ParseLine(const std::string& line, Blobs* blobs, Scenario* scenario) {
  const json source = json::parse(line);
  if (source.contains("blob")) {
    blobs->emplace(source.at("blob").get<std::string>(),
                   Shared(FromBase64(source.at("base64").get_ref<const std::string&>())));
  } else if (source.contains("caName")) {
    ParseHeader(source, *blobs, scenario);
  } else {
    scenario->steps.push_back(ParseStep(source, *blobs));
  }
}

}  // namespace

const Fault& Step::FaultOf(const std::wstring& call) const {
  static const Fault kNone;
  const auto found = faults.find(call);
  return found == faults.end() ? kNone : found->second;
}

const Fault& Step::FaultOfRead(const std::wstring& name) const {
  return faults.contains(name) ? FaultOf(name) : FaultOf(L"*");
}

Scenario ReadScenario(const std::wstring& path) {
  std::ifstream file(std::filesystem::path(path), std::ios::binary);
  if (!file) throw std::runtime_error("cannot open the scenario file");
  Scenario scenario;
  Blobs blobs;
  std::string line;
  for (size_t number = 1; std::getline(file, line); ++number) {
    if (line.empty()) continue;
    try {
      ParseLine(line, &blobs, &scenario);
    } catch (const std::exception& error) {
      throw std::runtime_error("scenario line " + std::to_string(number) + ": " + error.what());
    }
  }
  if (scenario.ca_name.empty()) throw std::runtime_error("the scenario has no line with caName");
  return scenario;
}

}  // namespace standin
