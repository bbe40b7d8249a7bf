#include "class_factory.h"

#include <new>

#include "exit_module.h"
#include "manage_module.h"

namespace exit_module {
namespace {

IUnknown* MakeExitModule() { return new (std::nothrow) ExitModule; }
IUnknown* MakeManageModule() { return new (std::nothrow) ManageModule; }

/// Hands out `object`, which has one reference that is used up.
HRESULT Offer(IUnknown* object, REFIID iid, void** out) {
  if (object == nullptr) return E_OUTOFMEMORY;
  const HRESULT result = object->QueryInterface(iid, out);
  object->Release();
  return result;
}

}  // namespace

STDMETHODIMP ClassFactory::QueryInterface(REFIID iid, void** object) noexcept {
  if (object == nullptr) return E_POINTER;
  return GuardedEntry([&] {
    *object = nullptr;
    if (!IsEqualIID(iid, IID_IUnknown) && !IsEqualIID(iid, IID_IClassFactory)) return E_NOINTERFACE;
    *object = static_cast<IClassFactory*>(this);
    AddRef();
    return S_OK;
  });
}

STDMETHODIMP ClassFactory::CreateInstance(IUnknown* outer, REFIID iid, void** object) noexcept {
  if (object == nullptr) return E_POINTER;
  return GuardedEntry([&] {
    *object = nullptr;
    return outer == nullptr ? Offer(maker_(), iid, object) : CLASS_E_NOAGGREGATION;
  });
}

STDMETHODIMP ClassFactory::LockServer(BOOL lock) noexcept {
  if (lock) {
    AddModuleReference();
  } else {
    ReleaseModuleReference();
  }
  return S_OK;
}

HRESULT GetClassObject(REFCLSID clsid, REFIID iid, void** object) {
  *object = nullptr;
  ClassFactory::Maker maker = nullptr;
  if (IsEqualCLSID(clsid, kClsidExit)) maker = MakeExitModule;
  if (IsEqualCLSID(clsid, kClsidExitManage)) maker = MakeManageModule;
  if (maker == nullptr) return CLASS_E_CLASSNOTAVAILABLE;
  return Offer(new (std::nothrow) ClassFactory(maker), iid, object);
}

}  // namespace exit_module
