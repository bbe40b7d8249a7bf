#ifndef CERTWIRE_COLLECT_TEST_SCRIPTED_SOURCE_H_
#define CERTWIRE_COLLECT_TEST_SCRIPTED_SOURCE_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "collect/bag_source.h"
#include "collect/clock.h"
#include "collect/record.h"
#include "collect/redaction.h"

namespace collect {

/// A clock that only the test moves.
class FakeClock : public Clock {
 public:
  uint64_t UtcTime() const override { return utc; }
  uint64_t MonotonicMs() const override { return monotonic_ms; }

  uint64_t utc = 134'000'000'000'000'000;
  uint64_t monotonic_ms = 1000;
};

/// A bag whose calls can be listened to, be slow, and be replaced.
class ScriptedSource : public PropertySource {
 public:
  PropertyBag bag;
  FakeClock clock;
  uint64_t ms_per_call = 0;
  /// Names of all calls: the group, dot, what was asked (`R.RequestID`, `C.RawCRL.0`, `A.ccm`).
  std::vector<std::u16string> calls;
  /// Replaces the answer of a call where it gives one.
  std::function<std::optional<BagValue>(std::u16string_view call)> intercept;
  bool faulted = false;
  int open_enumerations = 0;

  bool Asked(std::u16string_view call) const;

  HResult Open(int32_t context) override;
  HResult GetRequestProperty(std::u16string_view name, PropertyType type,
                             SourceValue* value) override;
  HResult GetCertificateProperty(std::u16string_view name, PropertyType type,
                                 SourceValue* value) override;
  HResult GetAttribute(std::u16string_view name, SourceValue* value) override;
  HResult GetExtension(std::u16string_view oid, SourceValue* value) override;
  HResult GetExtensionFlags(int32_t* flags) override;
  HResult BeginAttributes() override;
  HResult NextAttribute(std::u16string* name) override;
  void EndAttributes() override;
  HResult BeginExtensions() override;
  HResult NextExtension(std::u16string* oid) override;
  void EndExtensions() override;
  bool Faulted() const override { return faulted; }

 private:
  /// The replacement of a call, which stays alive until the next call.
  bool Replaced(std::u16string call, SourceValue* value, HResult* result);

  BagSource source_{bag};
  BagValue replacement_;
};

/// What is collected from `source` for `event`; `secrets`: see CollectLimits.
Record CollectFrom(ScriptedSource& source, int32_t event);
Record CollectFrom(ScriptedSource& source, int32_t event, const SecretNames* secrets);

/// Qualified names of the problems of `record` with their reasons: `request.StatusCode 80070005`,
/// `attributes limit`, one a line.
std::string Problems(const Record& record);

}  // namespace collect

#endif  // CERTWIRE_COLLECT_TEST_SCRIPTED_SOURCE_H_
