#ifndef CERTWIRE_STANDIN_SCENARIO_H_
#define CERTWIRE_STANDIN_SCENARIO_H_

#include <windows.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace standin {

/// What a property answers with. The number of kLong, kDate, kBinary, kText is its PROPTYPE.
enum class ValueKind { kLong = 1, kDate = 2, kBinary = 3, kText = 4, kFailure, kOddVariant };

/// One value that the fake certification authority serves.
struct Value {
  ValueKind kind = ValueKind::kFailure;
  /// VT_I2 instead of VT_I4, both allowed for a LONG.
  bool is_short = false;
  /// VT_UI4 instead of VT_I4, as the database may have it.
  bool is_unsigned = false;
  LONG number = 0;
  DATE date = 0;
  /// Bytes of a binary, or UTF-16LE of a text; shared, since large blobs are served many times.
  std::shared_ptr<const std::string> bytes;
  HRESULT failure = S_OK;
  /// Name of a variant that no property has: `empty`, `null`, `bool`, `array`, ...
  std::string odd_variant;
};

using Properties = std::map<std::wstring, Value>;

/// What goes wrong when the module makes one certain call.
struct Fault {
  DWORD delay_ms = 0;
  bool crash = false;
  bool endless = false;
  std::optional<HRESULT> failure;
};

struct Attribute {
  std::wstring name;
  Value value;
};

struct Extension {
  std::wstring oid;
  LONG flags = 0;
  Value value;
};

/// One call of Notify and what the module can read while it runs.
struct Step {
  LONG event = 0;
  LONG context = 0;
  /// Steps of one chain run one after the other, in the order of the file.
  std::string chain;
  bool late_bound = false;
  Properties request;
  Properties certificate;
  Properties ca;
  std::vector<Attribute> attributes;
  std::vector<Extension> extensions;
  std::map<std::wstring, Fault> faults;

  /// The fault of a call that reads no value: `create`, `SetContext`, `attributes`, `extensions`.
  const Fault& FaultOf(const std::wstring& call) const;
  /// The fault of reading a value: by its name (`request.StatusCode`), else that of `*`.
  const Fault& FaultOfRead(const std::wstring& name) const;
};

enum class Apartment { kMulti, kSingle, kNone };

/// A scenario file; test/scenarios/README.md describes the format.
struct Scenario {
  std::wstring ca_name;
  Properties ca;
  /// Values of the module's registry key: numbers become REG_DWORD, text REG_SZ.
  std::map<std::wstring, DWORD> numeric_settings;
  std::map<std::wstring, std::wstring> text_settings;
  unsigned threads = 1;
  Apartment main_apartment = Apartment::kMulti;
  Apartment worker_apartment = Apartment::kMulti;
  bool register_class = true;
  /// Use nothing but IDispatch, as for a module without the custom interfaces.
  bool late_bound = false;
  /// Send the stop event as soon as this many calls returned; the other threads keep calling.
  std::optional<size_t> shutdown_after;
  /// Start and stop of the certification authority, which are calls too: context 0, no request.
  Step start_and_stop;
  std::vector<Step> steps;
};

/// Reads a scenario file; throws std::exception with the line number when it is wrong.
Scenario ReadScenario(const std::wstring& path);

}  // namespace standin

#endif  // CERTWIRE_STANDIN_SCENARIO_H_
