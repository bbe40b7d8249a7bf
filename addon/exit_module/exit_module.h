#ifndef CERTWIRE_EXIT_MODULE_EXIT_MODULE_H_
#define CERTWIRE_EXIT_MODULE_EXIT_MODULE_H_

#include "com_object.h"

namespace exit_module {

/// The COM class Certwire.Exit: a thin face of ProcessRecorder.
class ExitModule final : public DualObject<ICertExit2> {
 public:
  ExitModule();

  STDMETHODIMP QueryInterface(REFIID iid, void** object) noexcept override;

  /// Always S_OK, with the mask of all events, unless `mask` is null.
  STDMETHODIMP Initialize(const BSTR config, LONG* mask) noexcept override;
  /// Always S_OK.
  STDMETHODIMP Notify(LONG event, LONG context) noexcept override;
  STDMETHODIMP GetDescription(BSTR* description) noexcept override;
  STDMETHODIMP GetManageModule(ICertManageModule** manager) noexcept override;

 private:
  HRESULT Call(DISPID id, Arguments* arguments, VARIANT* result) override;
};

}  // namespace exit_module

#endif  // CERTWIRE_EXIT_MODULE_EXIT_MODULE_H_
