#ifndef CERTWIRE_EXIT_MODULE_CLASS_FACTORY_H_
#define CERTWIRE_EXIT_MODULE_CLASS_FACTORY_H_

#include <atomic>

#include "com.h"

namespace exit_module {

/// Makes objects of one of the two classes. They cannot be aggregated.
class ClassFactory final : public IClassFactory {
 public:
  /// A new object with one reference; null when memory is short.
  using Maker = IUnknown* (*)();

  explicit ClassFactory(Maker maker) : maker_(maker) { AddModuleReference(); }

  STDMETHODIMP QueryInterface(REFIID iid, void** object) noexcept override;
  STDMETHODIMP_(ULONG) AddRef() noexcept override;
  STDMETHODIMP_(ULONG) Release() noexcept override;
  STDMETHODIMP CreateInstance(IUnknown* outer, REFIID iid, void** object) noexcept override;
  STDMETHODIMP LockServer(BOOL lock) noexcept override;

 private:
  ~ClassFactory() { ReleaseModuleReference(); }

  const Maker maker_;
  std::atomic<ULONG> references_{1};
};

/// DllGetClassObject for both classes.
HRESULT GetClassObject(REFCLSID clsid, REFIID iid, void** object);

}  // namespace exit_module

#endif  // CERTWIRE_EXIT_MODULE_CLASS_FACTORY_H_
