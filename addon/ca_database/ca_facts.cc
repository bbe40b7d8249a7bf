#include "ca_database/ca_facts.h"

// PROPTYPE_* and CR_PROP_*.
#include <certcli.h>
#include <certsrv.h>

#include <algorithm>
#include <new>

#include "collect/variant_value.h"

namespace ca_database {
namespace {

using collect::SourceValue;

class FactReader {
 public:
  FactReader(const std::wstring& config, CaFacts* facts) : config_(config), facts_(*facts) {}

  Failure Run() {
    HRESULT result = Create(CLSID_CCertAdmin, IID_ICertAdmin2, &admin_);
    if (FAILED(result)) return {result, "CoCreateInstance(CCertAdmin)"};
    LONG roles = 0;
    result = admin_->GetMyRoles(config_.get(), &roles);
    if (FAILED(result)) return {result, "ICertAdmin2::GetMyRoles"};
    facts_.roles = roles;
    int32_t certificates = 0;
    const bool all = ReadText(CR_PROP_CANAME, &facts_.name) &&
                     ReadText(CR_PROP_SANITIZEDCANAME, &facts_.sanitized_name) &&
                     ReadText(CR_PROP_DNSNAME, &facts_.dns_name) &&
                     ReadNumber(CR_PROP_CATYPE, &facts_.type) &&
                     ReadNumber(CR_PROP_CASIGCERTCOUNT, &certificates);
    certificates = std::min(certificates, kMaxCaCertificates);
    for (int32_t index = 0; all && index < certificates; ++index) {
      if (!ReadCertificate(index)) break;
    }
    return {failed_, "ICertAdmin2::GetCAProperty"};
  }

 private:
  /// Reads a property; false, with `failed_` set, unless it is of the expected kind.
  bool Read(LONG id, LONG index, LONG type, SourceValue::Kind kind) {
    failed_ = admin_->GetCAProperty(config_.get(), id, index, type, CV_OUT_BINARY, value_.Out());
    if (FAILED(failed_)) return false;
    if (collect::ToSourceValue(value_.get()).kind != kind) failed_ = DISP_E_TYPEMISMATCH;
    return SUCCEEDED(failed_);
  }

  bool ReadText(LONG id, std::wstring* text) {
    if (!Read(id, 0, PROPTYPE_STRING, SourceValue::Kind::kBytes)) return false;
    const BSTR value = V_BSTR(&value_.get());
    text->assign(value == nullptr ? L"" : value, value == nullptr ? 0 : SysStringLen(value));
    return true;
  }

  bool ReadNumber(LONG id, int32_t* number) {
    if (!Read(id, 0, PROPTYPE_LONG, SourceValue::Kind::kLong)) return false;
    *number = collect::ToSourceValue(value_.get()).number;
    return true;
  }

  bool ReadCertificate(int32_t index) {
    if (!Read(CR_PROP_CASIGCERT, index, PROPTYPE_BINARY, SourceValue::Kind::kBytes)) return false;
    const SourceValue value = collect::ToSourceValue(value_.get());
    facts_.certificates.emplace_back(value.data, value.data + value.size);
    return true;
  }

  const Text config_;
  CaFacts& facts_;
  Reference<ICertAdmin2> admin_;
  Variant value_;
  HRESULT failed_ = S_OK;
};

}  // namespace

Failure ReadCaFacts(const std::wstring& config, CaFacts* facts) {
  const Apartment apartment;
  if (FAILED(apartment.result())) return {apartment.result(), "CoInitializeEx"};
  try {
    return FactReader(config, facts).Run();
  } catch (const std::bad_alloc&) {
    return {E_OUTOFMEMORY, "memory for facts"};
  } catch (...) {  // nothing may leave the thread
    return {E_FAIL, "reading facts"};
  }
}

}  // namespace ca_database
