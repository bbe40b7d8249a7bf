// The IDispatch half of the fake: numbers and argument orders as a dual interface has them.
#include <array>
#include <cwchar>
#include <iterator>

#include "server_exit.h"

namespace standin {
namespace {

constexpr DISPID kFirstId = 0x60020000;

/// In vtable order, since that is how the numbers are given.
constexpr std::array<const wchar_t*, 12> kMethods = {
    L"SetContext",
    L"GetRequestProperty",
    L"GetRequestAttribute",
    L"GetCertificateProperty",
    L"GetCertificateExtension",
    L"GetCertificateExtensionFlags",
    L"EnumerateExtensionsSetup",
    L"EnumerateExtensions",
    L"EnumerateExtensionsClose",
    L"EnumerateAttributesSetup",
    L"EnumerateAttributes",
    L"EnumerateAttributesClose",
};
constexpr std::array<UINT, 12> kArguments = {1, 2, 1, 2, 2, 0, 1, 0, 0, 1, 0, 0};

/// IDispatch carries arguments last first.
const VARIANT& Argument(const DISPPARAMS& parameters, UINT index) {
  return parameters.rgvarg[parameters.cArgs - 1 - index];
}

bool IsText(const VARIANT& value) { return V_VT(&value) == VT_BSTR; }
bool IsNumber(const VARIANT& value) { return V_VT(&value) == VT_I4; }

/// Every method takes (), (number), (text) or (text, number).
bool ArgumentsMatch(size_t method, const DISPPARAMS& parameters) {
  if (parameters.cArgs != kArguments[method]) return false;
  if (parameters.cArgs == 0) return true;
  const bool starts_with_text = method >= 1 && method <= 4;
  const VARIANT& first = Argument(parameters, 0);
  if (starts_with_text ? !IsText(first) : !IsNumber(first)) return false;
  return parameters.cArgs == 1 || IsNumber(Argument(parameters, 1));
}

/// `text` by reference: it is filled while `result` is made.
HRESULT ReturnText(HRESULT result, const BSTR& text, VARIANT* out) {
  V_VT(out) = VT_BSTR;
  V_BSTR(out) = text;
  return result;
}

}  // namespace

STDMETHODIMP ServerExit::GetTypeInfoCount(UINT* count) {
  if (count == nullptr) return E_POINTER;
  *count = 0;
  return S_OK;
}

STDMETHODIMP ServerExit::GetTypeInfo(UINT, LCID, ITypeInfo** info) {
  if (info != nullptr) *info = nullptr;
  return E_NOTIMPL;
}

STDMETHODIMP ServerExit::GetIDsOfNames(REFIID, LPOLESTR* names, UINT count, LCID, DISPID* ids) {
  if (names == nullptr || ids == nullptr || count == 0) return E_INVALIDARG;
  ids[0] = DISPID_UNKNOWN;
  for (size_t i = 0; i < kMethods.size(); ++i) {
    if (_wcsicmp(names[0], kMethods[i]) == 0) ids[0] = kFirstId + static_cast<DISPID>(i);
  }
  return count == 1 && ids[0] != DISPID_UNKNOWN ? S_OK : DISP_E_UNKNOWNNAME;
}

STDMETHODIMP ServerExit::Invoke(DISPID id, REFIID, LCID, WORD flags, DISPPARAMS* parameters,
                                VARIANT* result, EXCEPINFO*, UINT*) {
  const auto method = static_cast<size_t>(id - kFirstId);
  if (id < kFirstId || method >= kMethods.size()) return DISP_E_MEMBERNOTFOUND;
  if ((flags & DISPATCH_METHOD) == 0 || parameters == nullptr) return DISP_E_MEMBERNOTFOUND;
  if (!ArgumentsMatch(method, *parameters)) return DISP_E_TYPEMISMATCH;
  VARIANT ignored;
  VARIANT* out = result != nullptr ? result : &ignored;
  VariantInit(out);
  const BSTR text = method >= 1 && method <= 4 ? V_BSTR(&Argument(*parameters, 0)) : nullptr;
  // A number is always the last argument, so the first of the array.
  const bool has_number = parameters->cArgs > 0 && IsNumber(parameters->rgvarg[0]);
  const LONG number = has_number ? V_I4(&parameters->rgvarg[0]) : 0;
  BSTR name = nullptr;
  HRESULT status = DISP_E_MEMBERNOTFOUND;
  switch (method) {
    case 0:
      status = SetContext(number);
      break;
    case 1:
      status = GetRequestProperty(text, number, out);
      break;
    case 2:
      status = ReturnText(GetRequestAttribute(text, &name), name, out);
      break;
    case 3:
      status = GetCertificateProperty(text, number, out);
      break;
    case 4:
      status = GetCertificateExtension(text, number, out);
      break;
    case 5:
      V_VT(out) = VT_I4;
      status = GetCertificateExtensionFlags(&V_I4(out));
      break;
    case 6:
      status = EnumerateExtensionsSetup(number);
      break;
    case 7:
      status = ReturnText(EnumerateExtensions(&name), name, out);
      break;
    case 8:
      status = EnumerateExtensionsClose();
      break;
    case 9:
      status = EnumerateAttributesSetup(number);
      break;
    case 10:
      status = ReturnText(EnumerateAttributes(&name), name, out);
      break;
    case 11:
      status = EnumerateAttributesClose();
      break;
    default:
      break;
  }
  if (result == nullptr) VariantClear(out);
  return status;
}

}  // namespace standin
