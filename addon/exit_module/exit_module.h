#ifndef CERTWIRE_EXIT_MODULE_EXIT_MODULE_H_
#define CERTWIRE_EXIT_MODULE_EXIT_MODULE_H_

#include <atomic>

#include "com.h"

namespace exit_module {

/// The COM class Certwire.Exit: a thin face of Module.
class ExitModule final : public ICertExit2 {
 public:
  ExitModule() { AddModuleReference(); }

  STDMETHODIMP QueryInterface(REFIID iid, void** object) noexcept override;
  STDMETHODIMP_(ULONG) AddRef() noexcept override;
  STDMETHODIMP_(ULONG) Release() noexcept override;

  STDMETHODIMP GetTypeInfoCount(UINT* count) noexcept override;
  STDMETHODIMP GetTypeInfo(UINT index, LCID locale, ITypeInfo** info) noexcept override;
  STDMETHODIMP GetIDsOfNames(REFIID iid, LPOLESTR* names, UINT count, LCID locale,
                             DISPID* ids) noexcept override;
  STDMETHODIMP Invoke(DISPID id, REFIID iid, LCID locale, WORD flags, DISPPARAMS* parameters,
                      VARIANT* result, EXCEPINFO* exception, UINT* bad_argument) noexcept override;

  /// Always S_OK, with the mask of all events, unless `mask` is null.
  STDMETHODIMP Initialize(const BSTR config, LONG* mask) noexcept override;
  /// Always S_OK.
  STDMETHODIMP Notify(LONG event, LONG context) noexcept override;
  STDMETHODIMP GetDescription(BSTR* description) noexcept override;
  STDMETHODIMP GetManageModule(ICertManageModule** manager) noexcept override;

 private:
  ~ExitModule() { ReleaseModuleReference(); }
  HRESULT Call(DISPID id, const DISPPARAMS& parameters, VARIANT* result, UINT* bad_argument);

  std::atomic<ULONG> references_{1};
};

}  // namespace exit_module

#endif  // CERTWIRE_EXIT_MODULE_EXIT_MODULE_H_
