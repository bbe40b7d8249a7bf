#include "ca_database/ca_facts.h"

// PROPTYPE_*.
#include <certsrv.h>

#include <algorithm>
#include <new>

#include "ca_database/ca_properties.h"

namespace ca_database {
namespace {

using collect::SourceValue;

Failure Read(const std::wstring& config, CaFacts* facts) {
  CaProperties ca(config);
  const Failure failure = ca.Open();
  if (!failure.ok()) return failure;
  facts->roles = ca.roles();
  int32_t certificates = 0;
  HRESULT result = ca.ReadText(CR_PROP_CANAME, &facts->name);
  if (SUCCEEDED(result)) result = ca.ReadText(CR_PROP_SANITIZEDCANAME, &facts->sanitized_name);
  if (SUCCEEDED(result)) result = ca.ReadText(CR_PROP_DNSNAME, &facts->dns_name);
  if (SUCCEEDED(result)) result = ca.ReadNumber(CR_PROP_CATYPE, 0, &facts->type);
  if (SUCCEEDED(result)) result = ca.ReadNumber(CR_PROP_CASIGCERTCOUNT, 0, &certificates);
  certificates = std::min(certificates, kMaxCaCertificates);
  for (int32_t index = 0; SUCCEEDED(result) && index < certificates; ++index) {
    result = ca.Read(CR_PROP_CASIGCERT, index, PROPTYPE_BINARY, SourceValue::Kind::kBytes);
    if (FAILED(result)) break;
    const SourceValue der = ca.value();
    facts->certificates.emplace_back(der.data, der.data + der.size);
  }
  return {result, kGetCaProperty};
}

}  // namespace

Failure ReadCaFacts(const std::wstring& config, CaFacts* facts) {
  const Apartment apartment;
  if (FAILED(apartment.result())) return {apartment.result(), "CoInitializeEx"};
  try {
    return Read(config, facts);
  } catch (const std::bad_alloc&) {
    return {E_OUTOFMEMORY, "memory for facts"};
  } catch (...) {  // nothing may leave the thread
    return {E_FAIL, "reading facts"};
  }
}

}  // namespace ca_database
