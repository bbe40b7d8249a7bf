#ifndef CERTWIRE_COLLECT_VARIANT_VALUE_H_
#define CERTWIRE_COLLECT_VARIANT_VALUE_H_

#include <windows.h>
// The header of VARIANT needs the one above.
#include <oleauto.h>

#include <cstring>

#include "collect/property_source.h"

namespace collect {

/// What a VARIANT of a certification authority holds; valid as long as the VARIANT.
inline SourceValue ToSourceValue(const VARIANT& variant) {
  SourceValue value;
  switch (V_VT(&variant)) {
    case VT_I4:
      value.kind = SourceValue::Kind::kLong;
      value.number = V_I4(&variant);
      break;
    case VT_UI4:
      value.kind = SourceValue::Kind::kLong;
      value.number = static_cast<int32_t>(V_UI4(&variant));
      break;
    case VT_I2:
      value.kind = SourceValue::Kind::kLong;
      value.number = V_I2(&variant);
      break;
    case VT_DATE:
      value.kind = SourceValue::Kind::kDate;
      static_assert(sizeof value.date == sizeof(DATE));
      std::memcpy(value.date, &V_DATE(&variant), sizeof value.date);
      break;
    case VT_BSTR:
      value.kind = SourceValue::Kind::kBytes;
      value.data = reinterpret_cast<const uint8_t*>(V_BSTR(&variant));
      value.size = SysStringByteLen(V_BSTR(&variant));
      break;
    default:
      break;
  }
  return value;
}

}  // namespace collect

#endif  // CERTWIRE_COLLECT_VARIANT_VALUE_H_
