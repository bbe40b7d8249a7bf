#include "variants.h"

namespace standin {
namespace {

const wchar_t kOddText[] = L"of another type";

HRESULT MakeByteArray(VARIANT* out) {
  SAFEARRAY* array = SafeArrayCreateVector(VT_UI1, 0, 16);
  if (array == nullptr) return E_OUTOFMEMORY;
  V_VT(out) = VT_ARRAY | VT_UI1;
  V_ARRAY(out) = array;
  return S_OK;
}

/// Variants that no property of a certification authority has, but that a broken one could give.
HRESULT MakeOddVariant(const std::string& name, IUnknown* self, VARIANT* out) {
  VariantInit(out);
  if (name == "empty") return S_OK;
  if (name == "array") return MakeByteArray(out);
  if (name == "null") {
    V_VT(out) = VT_NULL;
  } else if (name == "bool") {
    V_VT(out) = VT_BOOL;
    V_BOOL(out) = VARIANT_TRUE;
  } else if (name == "long") {
    V_VT(out) = VT_I4;
    V_I4(out) = 7;
  } else if (name == "date") {
    V_VT(out) = VT_DATE;
    V_DATE(out) = 45000;
  } else if (name == "longlong") {
    V_VT(out) = VT_I8;
    V_I8(out) = 7;
  } else if (name == "bstr") {
    V_VT(out) = VT_BSTR;
    V_BSTR(out) = SysAllocString(kOddText);
  } else if (name == "nullbstr") {
    V_VT(out) = VT_BSTR;
    V_BSTR(out) = nullptr;
  } else if (name == "byref") {
    static BSTR text = SysAllocString(kOddText);
    V_VT(out) = VT_BYREF | VT_BSTR;
    V_BSTRREF(out) = &text;
  } else if (name == "unknown") {
    V_VT(out) = VT_UNKNOWN;
    V_UNKNOWN(out) = self;
    self->AddRef();
  } else {
    return E_NOTIMPL;
  }
  return S_OK;
}

HRESULT MakeBytes(const std::string& bytes, VARIANT* out) {
  BSTR text = MakeBstr(bytes);
  if (text == nullptr) return E_OUTOFMEMORY;
  V_VT(out) = VT_BSTR;
  V_BSTR(out) = text;
  return S_OK;
}

}  // namespace

BSTR MakeBstr(const std::string& bytes) {
  return SysAllocStringByteLen(bytes.data(), static_cast<UINT>(bytes.size()));
}

HRESULT MakeVariant(const Value& value, LONG type, IUnknown* self, VARIANT* out) {
  if (value.kind == ValueKind::kFailure) return value.failure;
  if (value.kind == ValueKind::kOddVariant) return MakeOddVariant(value.odd_variant, self, out);
  if (static_cast<LONG>(value.kind) != (type & PROPTYPE_MASK)) return E_INVALIDARG;
  VariantInit(out);
  switch (value.kind) {
    case ValueKind::kLong:
      V_VT(out) = value.is_short ? VT_I2 : value.is_unsigned ? VT_UI4 : VT_I4;
      if (value.is_short) {
        V_I2(out) = static_cast<SHORT>(value.number);
      } else {
        V_I4(out) = value.number;
      }
      return S_OK;
    case ValueKind::kDate:
      V_VT(out) = VT_DATE;
      V_DATE(out) = value.date;
      return S_OK;
    default:
      return MakeBytes(*value.bytes, out);
  }
}

}  // namespace standin
