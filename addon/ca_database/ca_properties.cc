#include "ca_database/ca_properties.h"

// PROPTYPE_*.
#include <certsrv.h>

#include "collect/variant_value.h"

namespace ca_database {

using collect::SourceValue;

Failure CaProperties::Open() {
  HRESULT result = Create(CLSID_CCertAdmin, IID_ICertAdmin2, &admin_);
  if (FAILED(result)) return {result, "CoCreateInstance(CCertAdmin)"};
  LONG roles = 0;
  result = admin_->GetMyRoles(config_.get(), &roles);
  if (SUCCEEDED(result)) roles_ = roles;
  const bool refused = result == E_ACCESSDENIED;
  if (refused && SUCCEEDED(Create(CLSID_CCertRequest, IID_ICertRequest2, &request_))) return {};
  return {result, "ICertAdmin2::GetMyRoles"};
}

HRESULT CaProperties::Read(LONG id, LONG index, LONG type, SourceValue::Kind kind) {
  const BSTR config = config_.get();
  VARIANT* const out = value_.Out();
  const HRESULT result = request_
                             ? request_->GetCAProperty(config, id, index, type, CV_OUT_BINARY, out)
                             : admin_->GetCAProperty(config, id, index, type, CV_OUT_BINARY, out);
  if (FAILED(result)) return result;
  return value().kind == kind ? S_OK : DISP_E_TYPEMISMATCH;
}

HRESULT CaProperties::ReadText(LONG id, std::wstring* text) {
  const HRESULT result = Read(id, 0, PROPTYPE_STRING, SourceValue::Kind::kBytes);
  if (FAILED(result)) return result;
  const BSTR value = V_BSTR(&value_.get());
  text->assign(value == nullptr ? L"" : value, value == nullptr ? 0 : SysStringLen(value));
  return S_OK;
}

HRESULT CaProperties::ReadNumber(LONG id, LONG index, int32_t* number) {
  const HRESULT result = Read(id, index, PROPTYPE_LONG, SourceValue::Kind::kLong);
  if (SUCCEEDED(result)) *number = value().number;
  return result;
}

SourceValue CaProperties::value() const { return collect::ToSourceValue(value_.get()); }

}  // namespace ca_database
