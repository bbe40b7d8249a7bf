#include "collect/collector.h"

#include <algorithm>
#include <utility>

#include "collect/exit_event.h"
#include "collect/property_table.h"
#include "collect/recorded_value.h"
#include "collect/redaction.h"

namespace collect {
namespace {

/// What hashing of large values leaves of the budget for the reads after them, in milliseconds.
constexpr uint64_t kReadReserveMs = 100;

std::u16string Indexed(std::u16string_view name, int32_t index) {
  const std::string digits = std::to_string(index);
  std::u16string indexed(name);
  indexed += u'.';
  indexed.append(digits.begin(), digits.end());
  return indexed;
}

/// How a CA may answer a name that it does not know. "No value" is not among them.
bool MeansUnknownName(HResult result) {
  constexpr HResult kInvalidArgument = 0x80070057;
  constexpr HResult kElementNotFound = 0x80070490;
  constexpr HResult kNotImplemented = 0x80004001;
  constexpr HResult kUnknownName = 0x80020006;  // DISP_E_UNKNOWNNAME
  return result == kInvalidArgument || result == kElementNotFound || result == kFileNotFound ||
         result == kNotImplemented || result == kUnknownName;
}

class Collector {
 public:
  Collector(PropertySource& source, const Clock& clock, const CollectLimits& limits, Record* record)
      : source_(source),
        clock_(clock),
        deadline_(clock.MonotonicMs() + limits.budget_ms),
        secrets_(limits.secrets),
        known_(limits.known),
        hash_time_{&clock, deadline_ - std::min<uint64_t>(limits.budget_ms, kReadReserveMs)},
        topics_(TopicsOf(record->event)),
        record_(*record) {
    record_.SetHashTime(hash_time_);
  }

  void Run() {
    if (!Done(source_.Open(record_.context), [] { return std::u16string(u"server"); })) return;
    ReadProperties(true);
    if ((topics_ & kAboutCrl) != 0) ReadCrls();
    ReadProperties(false);
    if ((topics_ & kAboutRequest) != 0) {
      ReadAttributes();
      ReadExtensions();
    }
    ReadCaCertificates();
  }

 private:
  /// True when the call succeeded; otherwise notes why not under `name()`.
  template <typename Name>
  bool Done(HResult result, Name name) {
    if (source_.Faulted()) {
      record_.AddProblem(name(), Reason::kFault);
      stopped_ = true;
      return false;
    }
    if (!Failed(result)) return true;
    if (result != kPropertyEmpty) record_.AddProblem(name(), Reason::kHResult, result);
    return false;
  }

  /// False when reading ended: by a fault, or, noted under `name()`, because the budget is used up.
  template <typename Name>
  bool MayRead(Name name) {
    if (stopped_) return false;
    if (clock_.MonotonicMs() < deadline_) return true;
    record_.AddProblem(name(), Reason::kBudget);
    return false;
  }

  /// Like Done, and the value is of the expected kind.
  template <typename Name>
  bool Got(HResult result, const SourceValue& value, PropertyType type, Name name) {
    if (!Done(result, name)) return false;
    if (value.kind == ExpectedKind(type)) return true;
    record_.AddProblem(name(), Reason::kType);
    return false;
  }

  bool IsWanted(const Property& property, bool indexed, bool essential) const {
    if (known_ != nullptr && known_->Lacks(property)) return false;
    return property.indexed == indexed && (property.topics & topics_) != 0 &&
           ((property.essential & topics_) != 0) == essential;
  }

  void ReadProperties(bool essential) {
    for (const Property& property : Properties()) {
      if (!IsWanted(property, false, essential)) continue;
      const auto name = [&] { return QualifiedName(GroupName(property.group), property.name); };
      if (essential ? !stopped_ : MayRead(name)) ReadProperty(property, property.name);
    }
  }

  void ReadIndexedProperties(int32_t index, bool essential) {
    for (const Property& property : Properties()) {
      if (!IsWanted(property, true, essential)) continue;
      const std::u16string indexed = Indexed(property.name, index);
      const auto name = [&] { return QualifiedName(GroupName(property.group), indexed); };
      if (MayRead(name)) ReadProperty(property, indexed);
    }
  }

  void ReadProperty(const Property& property, std::u16string_view name) {
    const auto qualified = [&] { return QualifiedName(GroupName(property.group), name); };
    if (property.secrecy == Secrecy::kLines && !KnowsSecrets(qualified)) return;
    SourceValue value;
    const HResult result = Get(property, name, &value);
    LearnName(property, result);
    if (!Got(result, value, property.type, qualified)) return;
    if (property.name == u"CertCount") ca_certificates_ = value.number;
    if (property.name == u"CRLState") crl_state_ = value.number;
    record_.AddProperty(property.group, name, ToValue(value, property, secrets_, hash_time_));
  }

  /// Remembers whether the CA knows a newer name. Other failures say nothing about that.
  void LearnName(const Property& property, HResult result) {
    if (known_ == nullptr || !property.newer || source_.Faulted()) return;
    const bool known = !Failed(result) || result == kPropertyEmpty;
    if (known || MeansUnknownName(result)) {
      known_->NoteAnswer(property, known, clock_.MonotonicMs());
    }
  }

  /// False, noted under `name()`, while the names of secrets are not known: the value might be one.
  template <typename Name>
  bool KnowsSecrets(Name name) {
    if (secrets_ != nullptr) return true;
    record_.AddProblem(name(), Reason::kBudget);
    return false;
  }

  HResult Get(const Property& property, std::u16string_view name, SourceValue* value) {
    if (property.group != Record::Group::kRequest) {
      return source_.GetCertificateProperty(name, property.type, value);
    }
    const std::u16string subject =
        property.naming == Naming::kSubjectPart ? u"Subject." + std::u16string(name) : u"";
    const HResult first =
        source_.GetRequestProperty(subject.empty() ? name : subject, property.type, value);
    if (!Failed(first) || first == kPropertyEmpty || source_.Faulted()) return first;
    const HResult second =
        source_.GetRequestProperty(u"Request." + std::u16string(name), property.type, value);
    return Failed(second) && second != kPropertyEmpty ? first : second;
  }

  /// The names of an enumeration that has begun.
  template <typename Next>
  std::vector<std::u16string> ReadNames(Next next, std::u16string_view enumeration) {
    std::vector<std::u16string> names;
    const auto name_of_all = [&] { return std::u16string(enumeration); };
    std::u16string name;
    while (MayRead(name_of_all)) {
      const HResult result = next(&name);
      if (!Done(result, name_of_all) || result == kFalse) break;
      if (names.size() == static_cast<size_t>(kMaxEntries) || name.size() > kMaxNameUnits) {
        record_.AddProblem(name_of_all(), Reason::kLimit);
        break;
      }
      names.push_back(std::move(name));
    }
    return names;
  }

  /// False, noted once under `name`, when no further entry is sure to fit into the record.
  bool HasSpace(const char16_t* name) {
    if (record_.HasSpace()) return true;
    record_.AddProblem(name, Reason::kLimit);
    return false;
  }

  void ReadAttributes() {
    const auto enumeration = [] { return std::u16string(u"attributes"); };
    if (!MayRead(enumeration) || !Done(source_.BeginAttributes(), enumeration)) return;
    auto names =
        ReadNames([this](auto* name) { return source_.NextAttribute(name); }, u"attributes");
    if (!stopped_) source_.EndAttributes();
    for (const auto& name : names) {
      if (!HasSpace(u"attributes")) return;
      ReadAttribute(name);
    }
  }

  void ReadAttribute(const std::u16string& name) {
    const auto qualified = [&] { return QualifiedName("attribute", name); };
    if (!KnowsSecrets(qualified)) return;
    if (secrets_->Has(name)) {
      record_.AddAttribute(name, Value());
      return;
    }
    if (!MayRead(qualified)) return;
    SourceValue value;
    const HResult result = source_.GetAttribute(name, &value);
    if (!Got(result, value, PropertyType::kString, qualified)) return;
    record_.AddAttribute(name, ToValue(value, PropertyType::kString, hash_time_));
  }

  void ReadExtensions() {
    const auto enumeration = [] { return std::u16string(u"extensions"); };
    if (!MayRead(enumeration) || !Done(source_.BeginExtensions(), enumeration)) return;
    auto oids = ReadNames([this](auto* oid) { return source_.NextExtension(oid); }, u"extensions");
    if (!stopped_) source_.EndExtensions();
    for (const auto& oid : oids) {
      if (!HasSpace(u"extensions")) return;
      ReadExtension(oid);
    }
  }

  void ReadExtension(const std::u16string& oid) {
    const auto qualified = [&] { return QualifiedName("extension", oid); };
    if (!MayRead(qualified)) return;
    SourceValue source_value;
    const HResult result = source_.GetExtension(oid, &source_value);
    if (!Got(result, source_value, PropertyType::kBinary, qualified)) return;
    // The flags are asked for next, and the value is gone with the next call.
    Value der = ToValue(source_value, PropertyType::kBinary, hash_time_);
    int32_t flags = 0;
    if (!Done(source_.GetExtensionFlags(&flags), qualified)) flags = 0;
    record_.AddExtension(oid, flags, std::move(der));
  }

  /// Number of CA certificates to ask about, limited. A value above the limit is noted once.
  int32_t CaCertificates() {
    if (ca_certificates_ > kMaxEntries) {
      record_.AddProblem(u"ca.CertCount", Reason::kLimit);
      ca_certificates_ = kMaxEntries;
    }
    return ca_certificates_;
  }

  void ReadCaCertificates() {
    for (int32_t index = 0; index < CaCertificates(); ++index) {
      if (!HasSpace(u"ca.CertCount")) return;
      ReadIndexedProperties(index, false);
    }
  }

  /// The delta CRLs first: they are small, and a base CRL may use up the time for all others.
  void ReadCrls() {
    std::vector<int32_t> publishing;
    for (int32_t index = 0; index < CaCertificates(); ++index) {
      if (!HasSpace(u"ca.CertCount")) return;
      crl_state_ = kCaCertificateValid;  // also when it cannot be read
      ReadIndexedProperties(index, true);
      if (crl_state_ == kCaCertificateValid) publishing.push_back(index);
    }
    for (const bool delta : {true, false}) {
      for (const int32_t index : publishing) {
        if (!HasSpace(u"ca.CertCount")) return;
        ReadCrl(index, delta);
      }
    }
  }

  void ReadCrl(int32_t index, bool delta) {
    const std::u16string name = Indexed(delta ? u"RawDeltaCRL" : u"RawCRL", index);
    const auto qualified = [&] { return QualifiedName("ca", name); };
    if (!MayRead(qualified)) return;
    SourceValue value;
    const HResult result = source_.GetCertificateProperty(name, PropertyType::kBinary, &value);
    if (delta && result == kFileNotFound && !source_.Faulted()) return;
    if (!Got(result, value, PropertyType::kBinary, qualified)) return;
    record_.AddCrl(index, delta, ToValue(value, PropertyType::kBinary, hash_time_));
  }

  PropertySource& source_;
  const Clock& clock_;
  const uint64_t deadline_;
  const SecretNames* const secrets_;
  KnownNames* const known_;
  const HashTime hash_time_;
  const Topics topics_;
  Record& record_;
  int32_t ca_certificates_ = 0;
  int32_t crl_state_ = kCaCertificateValid;  ///< of the CA certificate that was asked about last
  bool stopped_ = false;
};

}  // namespace

void Collect(PropertySource& source, const Clock& clock, const CollectLimits& limits,
             Record* record) {
  Collector(source, clock, limits, record).Run();
}

}  // namespace collect
