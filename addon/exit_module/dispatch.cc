#include "dispatch.h"

namespace exit_module {
namespace {

const Method* FindMethod(std::span<const Method> methods, DISPID id) {
  for (const Method& method : methods) {
    if (method.id == id) return &method;
  }
  return nullptr;
}

bool EqualsIgnoringCase(const wchar_t* a, const wchar_t* b) {
  return CompareStringOrdinal(a, -1, b, -1, TRUE) == CSTR_EQUAL;
}

}  // namespace

HRESULT FindDispIds(std::span<const Method> methods, REFIID iid, LPOLESTR* names, UINT count,
                    DISPID* ids) {
  if (!IsEqualIID(iid, IID_NULL)) return DISP_E_UNKNOWNINTERFACE;
  if (names == nullptr || ids == nullptr || count == 0) return E_INVALIDARG;
  // Names after the first are those of parameters, which have none here.
  for (UINT i = 0; i < count; ++i) ids[i] = DISPID_UNKNOWN;
  if (names[0] == nullptr) return E_INVALIDARG;
  for (const Method& method : methods) {
    if (EqualsIgnoringCase(method.name, names[0])) ids[0] = method.id;
  }
  return ids[0] == DISPID_UNKNOWN || count > 1 ? DISP_E_UNKNOWNNAME : S_OK;
}

HRESULT CheckInvoke(std::span<const Method> methods, DISPID id, REFIID iid, WORD flags,
                    const DISPPARAMS* parameters) {
  if (!IsEqualIID(iid, IID_NULL)) return DISP_E_UNKNOWNINTERFACE;
  const Method* method = FindMethod(methods, id);
  if (method == nullptr || (flags & DISPATCH_METHOD) == 0) return DISP_E_MEMBERNOTFOUND;
  if (parameters == nullptr) return E_INVALIDARG;
  if (parameters->cNamedArgs != 0) return DISP_E_NONAMEDARGS;
  if (parameters->cArgs != method->arguments) return DISP_E_BADPARAMCOUNT;
  return parameters->cArgs != 0 && parameters->rgvarg == nullptr ? E_INVALIDARG : S_OK;
}

Arguments::Arguments(const DISPPARAMS& parameters, UINT* bad_argument)
    : parameters_(parameters), bad_argument_(bad_argument) {
  for (VARIANT& variant : converted_) VariantInit(&variant);
}

Arguments::~Arguments() {
  for (VARIANT& variant : converted_) VariantClear(&variant);
}

bool Arguments::Convert(UINT index, VARTYPE type) {
  if (FAILED(result_)) return false;
  result_ = VariantChangeType(&converted_[index], &At(index), 0, type);
  if (SUCCEEDED(result_)) return true;
  if (bad_argument_ != nullptr) *bad_argument_ = parameters_.cArgs - 1 - index;
  return false;
}

LONG Arguments::Long(UINT index) { return Convert(index, VT_I4) ? V_I4(&converted_[index]) : 0; }

BSTR Arguments::Text(UINT index) {
  return Convert(index, VT_BSTR) ? V_BSTR(&converted_[index]) : nullptr;
}

const VARIANT* Arguments::Any(UINT index) const {
  const VARIANT& argument = At(index);
  return V_VT(&argument) == (VT_VARIANT | VT_BYREF) ? V_VARIANTREF(&argument) : &argument;
}

}  // namespace exit_module
