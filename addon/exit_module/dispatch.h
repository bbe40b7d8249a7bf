#ifndef CERTWIRE_EXIT_MODULE_DISPATCH_H_
#define CERTWIRE_EXIT_MODULE_DISPATCH_H_

#include <span>

#include "com.h"

namespace exit_module {

/// A method that can be called late-bound. A result is not an argument.
struct Method {
  const wchar_t* name;
  DISPID id;
  UINT arguments;
};

/// IDispatch::GetIDsOfNames over a table of methods; names are compared ignoring case.
HRESULT FindDispIds(std::span<const Method> methods, REFIID iid, LPOLESTR* names, UINT count,
                    DISPID* ids);

/// Checks what is common to all calls of IDispatch::Invoke.
HRESULT CheckInvoke(std::span<const Method> methods, DISPID id, REFIID iid, WORD flags,
                    const DISPPARAMS* parameters);

/// The arguments of a late-bound call in the order of the declaration, converted as asked for.
/// After the first failure everything is empty and `result()` says why.
class Arguments {
 public:
  /// `bad_argument` may be null.
  Arguments(const DISPPARAMS& parameters, UINT* bad_argument);
  ~Arguments();
  Arguments(const Arguments&) = delete;
  Arguments& operator=(const Arguments&) = delete;

  LONG Long(UINT index);
  BSTR Text(UINT index);
  /// The argument itself; where it is a reference to a VARIANT, that VARIANT.
  const VARIANT* Any(UINT index) const;
  HRESULT result() const { return result_; }

 private:
  static constexpr UINT kMaxArguments = 5;
  VARIANT& At(UINT index) const { return parameters_.rgvarg[parameters_.cArgs - 1 - index]; }
  bool Convert(UINT index, VARTYPE type);

  const DISPPARAMS& parameters_;
  UINT* bad_argument_;
  VARIANT converted_[kMaxArguments];
  HRESULT result_ = S_OK;
};

}  // namespace exit_module

#endif  // CERTWIRE_EXIT_MODULE_DISPATCH_H_
