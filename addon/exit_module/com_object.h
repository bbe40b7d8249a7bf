#ifndef CERTWIRE_EXIT_MODULE_COM_OBJECT_H_
#define CERTWIRE_EXIT_MODULE_COM_OBJECT_H_

#include <atomic>
#include <span>

#include "com.h"
#include "dispatch.h"
#include "entry.h"

namespace exit_module {

/// A COM object on the heap, made with one reference. It keeps the DLL loaded while it lives.
template <typename Interface>
class CountedObject : public Interface {
 public:
  CountedObject(const CountedObject&) = delete;
  CountedObject& operator=(const CountedObject&) = delete;

  STDMETHODIMP_(ULONG) AddRef() noexcept override { return ++references_; }
  STDMETHODIMP_(ULONG) Release() noexcept override {
    const ULONG left = --references_;
    if (left == 0) delete this;
    return left;
  }

 protected:
  CountedObject() { AddModuleReference(); }
  virtual ~CountedObject() { ReleaseModuleReference(); }

 private:
  std::atomic<ULONG> references_{1};
};

/// The IDispatch half of an object with a dual interface: late-bound calls by a table of methods.
template <typename Interface>
class DualObject : public CountedObject<Interface> {
 public:
  STDMETHODIMP GetTypeInfoCount(UINT* count) noexcept override {
    if (count == nullptr) return E_POINTER;
    *count = 0;
    return S_OK;
  }

  STDMETHODIMP GetTypeInfo(UINT, LCID, ITypeInfo** info) noexcept override {
    if (info != nullptr) *info = nullptr;
    return DISP_E_BADINDEX;
  }

  STDMETHODIMP GetIDsOfNames(REFIID iid, LPOLESTR* names, UINT count, LCID,
                             DISPID* ids) noexcept override {
    return GuardedEntry([&] { return FindDispIds(methods_, iid, names, count, ids); });
  }

  STDMETHODIMP Invoke(DISPID id, REFIID iid, LCID, WORD flags, DISPPARAMS* parameters,
                      VARIANT* result, EXCEPINFO*, UINT* bad_argument) noexcept override {
    return GuardedEntry([&] {
      const HRESULT checked = CheckInvoke(methods_, id, iid, flags, parameters);
      if (FAILED(checked)) return checked;
      VARIANT unused;
      VARIANT* out = result == nullptr ? &unused : result;
      VariantInit(out);
      Arguments arguments(*parameters, bad_argument);
      const HRESULT called = Call(id, &arguments, out);
      if (out == &unused) VariantClear(&unused);
      return called;
    });
  }

 protected:
  explicit DualObject(std::span<const Method> methods) : methods_(methods) {}

 private:
  /// Calls the method of this number, which is one of the table's, with as many arguments as it
  /// has.
  virtual HRESULT Call(DISPID id, Arguments* arguments, VARIANT* result) = 0;

  const std::span<const Method> methods_;
};

}  // namespace exit_module

#endif  // CERTWIRE_EXIT_MODULE_COM_OBJECT_H_
