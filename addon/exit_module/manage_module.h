#ifndef CERTWIRE_EXIT_MODULE_MANAGE_MODULE_H_
#define CERTWIRE_EXIT_MODULE_MANAGE_MODULE_H_

#include "com_object.h"

namespace exit_module {

/// What administrators see as the description of the module.
extern const wchar_t kDescription[];

/// The COM class Certwire.ExitManage: who we are, for the certification authority's snap-in, which
/// loads it into mmc.exe. It has no settings and no window.
class ManageModule final : public DualObject<ICertManageModule> {
 public:
  ManageModule();

  STDMETHODIMP QueryInterface(REFIID iid, void** object) noexcept override;

  /// S_FALSE and an empty variant for a name that is not known.
  STDMETHODIMP GetProperty(const BSTR config, BSTR storage, BSTR name, LONG flags,
                           VARIANT* value) noexcept override;
  /// S_OK for the parent window, which is of no use here, and S_FALSE for the rest.
  STDMETHODIMP SetProperty(const BSTR config, BSTR storage, BSTR name, LONG flags,
                           const VARIANT* value) noexcept override;
  STDMETHODIMP Configure(const BSTR config, BSTR storage, LONG flags) noexcept override;

 private:
  HRESULT Call(DISPID id, Arguments* arguments, VARIANT* result) override;
};

}  // namespace exit_module

#endif  // CERTWIRE_EXIT_MODULE_MANAGE_MODULE_H_
