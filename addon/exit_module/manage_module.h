#ifndef CERTWIRE_EXIT_MODULE_MANAGE_MODULE_H_
#define CERTWIRE_EXIT_MODULE_MANAGE_MODULE_H_

#include <atomic>

#include "com.h"

namespace exit_module {

/// What administrators see as the description of the module.
extern const wchar_t kDescription[];

/// The COM class Certwire.ExitManage: who we are, for the certification authority's snap-in, which
/// loads it into mmc.exe. It has no settings and no window.
class ManageModule final : public ICertManageModule {
 public:
  ManageModule() { AddModuleReference(); }

  STDMETHODIMP QueryInterface(REFIID iid, void** object) noexcept override;
  STDMETHODIMP_(ULONG) AddRef() noexcept override;
  STDMETHODIMP_(ULONG) Release() noexcept override;

  STDMETHODIMP GetTypeInfoCount(UINT* count) noexcept override;
  STDMETHODIMP GetTypeInfo(UINT index, LCID locale, ITypeInfo** info) noexcept override;
  STDMETHODIMP GetIDsOfNames(REFIID iid, LPOLESTR* names, UINT count, LCID locale,
                             DISPID* ids) noexcept override;
  STDMETHODIMP Invoke(DISPID id, REFIID iid, LCID locale, WORD flags, DISPPARAMS* parameters,
                      VARIANT* result, EXCEPINFO* exception, UINT* bad_argument) noexcept override;

  /// S_FALSE and an empty variant for a name that is not known.
  STDMETHODIMP GetProperty(const BSTR config, BSTR storage, BSTR name, LONG flags,
                           VARIANT* value) noexcept override;
  /// S_OK for the parent window, which is of no use here, and S_FALSE for the rest.
  STDMETHODIMP SetProperty(const BSTR config, BSTR storage, BSTR name, LONG flags,
                           const VARIANT* value) noexcept override;
  STDMETHODIMP Configure(const BSTR config, BSTR storage, LONG flags) noexcept override;

 private:
  ~ManageModule() { ReleaseModuleReference(); }
  HRESULT Call(DISPID id, const DISPPARAMS& parameters, VARIANT* result, UINT* bad_argument);

  std::atomic<ULONG> references_{1};
};

}  // namespace exit_module

#endif  // CERTWIRE_EXIT_MODULE_MANAGE_MODULE_H_
