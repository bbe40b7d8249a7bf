#ifndef CERTWIRE_CA_DATABASE_CA_PROPERTIES_H_
#define CERTWIRE_CA_DATABASE_CA_PROPERTIES_H_

#include <optional>
#include <string>

#include "ca_database/com.h"
#include "collect/property_source.h"

namespace ca_database {

/// The properties of a certification authority. Who may not read its database reads them as someone
/// who may request certificates.
class CaProperties {
 public:
  explicit CaProperties(const std::wstring& config) : config_(config) {}

  /// Must be called first. Failures of the calls are those of ICertAdmin2.
  Failure Open();

  /// CA_ACCESS_* that the caller has; 0 if it may not read the database.
  int32_t roles() const { return roles_; }

  /// Reads a property into `value`; fails with DISP_E_TYPEMISMATCH if it is not of the kind.
  HRESULT Read(LONG id, LONG index, LONG type, collect::SourceValue::Kind kind);
  HRESULT ReadText(LONG id, std::wstring* text);
  HRESULT ReadNumber(LONG id, LONG index, int32_t* number);

  /// What was read last; valid until the next call.
  collect::SourceValue value() const;

 private:
  const Text config_;
  int32_t roles_ = 0;
  Reference<ICertAdmin2> admin_;
  Reference<ICertRequest2> request_;
  Variant value_;
};

/// The method whose failures `CaProperties::Read` returns.
inline constexpr char kGetCaProperty[] = "ICertAdmin2::GetCAProperty";

}  // namespace ca_database

#endif  // CERTWIRE_CA_DATABASE_CA_PROPERTIES_H_
