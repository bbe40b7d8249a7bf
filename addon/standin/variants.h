#ifndef CERTWIRE_STANDIN_VARIANTS_H_
#define CERTWIRE_STANDIN_VARIANTS_H_

#include <string>

#include "guids.h"
#include "scenario.h"

namespace standin {

/// A fresh BSTR of these bytes; an odd number of bytes stays odd.
BSTR MakeBstr(const std::string& bytes);

/// Answers a request for a value of PROPTYPE `type`. E_INVALIDARG when the value is of another
/// type, the value's own failure when it has one. `self` serves the odd variant that holds an
/// interface.
HRESULT MakeVariant(const Value& value, LONG type, IUnknown* self, VARIANT* out);

}  // namespace standin

#endif  // CERTWIRE_STANDIN_VARIANTS_H_
