#include "scenario.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "text.h"
#include "value_json.h"

namespace standin {
namespace {

using nlohmann::json;

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
