#ifndef CERTWIRE_EXIT_MODULE_CLASS_FACTORY_H_
#define CERTWIRE_EXIT_MODULE_CLASS_FACTORY_H_

#include "com_object.h"

namespace exit_module {

/// Makes objects of one of the two classes. They cannot be aggregated.
class ClassFactory final : public CountedObject<IClassFactory> {
 public:
  /// A new object with one reference; null when memory is short.
  using Maker = IUnknown* (*)();

  explicit ClassFactory(Maker maker) : maker_(maker) {}

  STDMETHODIMP QueryInterface(REFIID iid, void** object) noexcept override;
  STDMETHODIMP CreateInstance(IUnknown* outer, REFIID iid, void** object) noexcept override;
  STDMETHODIMP LockServer(BOOL lock) noexcept override;

 private:
  const Maker maker_;
};

/// DllGetClassObject for both classes.
HRESULT GetClassObject(REFCLSID clsid, REFIID iid, void** object);

}  // namespace exit_module

#endif  // CERTWIRE_EXIT_MODULE_CLASS_FACTORY_H_
