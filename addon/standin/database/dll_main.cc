// certadm-standin.dll: stands in for the DLL of Windows through which programs read the database of
// a certification authority, see test/scenarios/README.md.
#include "database/fake_object.h"
#include "database/view.h"

namespace standin {
namespace {

/// Lives as long as the process.
class ViewFactory final : public IClassFactory {
 public:
  using Maker = IUnknown* (*)(Database&);
  explicit ViewFactory(Maker maker) : maker_(maker) {}

  STDMETHODIMP QueryInterface(REFIID iid, void** object) override {
    if (object == nullptr) return E_POINTER;
    const bool known = IsEqualIID(iid, IID_IUnknown) || IsEqualIID(iid, IID_IClassFactory);
    *object = known ? this : nullptr;
    return known ? S_OK : E_NOINTERFACE;
  }
  STDMETHODIMP_(ULONG) AddRef() override { return 2; }
  STDMETHODIMP_(ULONG) Release() override { return 1; }
  STDMETHODIMP LockServer(BOOL) override { return S_OK; }

  STDMETHODIMP CreateInstance(IUnknown* outer, REFIID iid, void** object) override {
    if (object == nullptr) return E_POINTER;
    *object = nullptr;
    if (outer != nullptr) return CLASS_E_NOAGGREGATION;
    IUnknown* made = maker_(Database::Instance());
    const HRESULT result = made->QueryInterface(iid, object);
    made->Release();
    return result;
  }

 private:
  const Maker maker_;
};

}  // namespace
}  // namespace standin

STDAPI DllGetClassObject(REFCLSID clsid, REFIID iid, void** object) {
  static standin::ViewFactory view(standin::MakeCertView);
  static standin::ViewFactory admin(standin::MakeCertAdmin);
  static standin::ViewFactory request(standin::MakeCertRequest);
  if (standin::IsId(clsid, L"{A12D0F7A-1E84-11D1-9BD6-00C04FB683FA}")) {
    return view.QueryInterface(iid, object);
  }
  if (standin::IsId(clsid, L"{37EABAF0-7FB6-11D0-8817-00A0C903B83C}")) {
    return admin.QueryInterface(iid, object);
  }
  if (standin::IsId(clsid, L"{98AFF3F0-5524-11D0-8812-00A0C903B83C}")) {
    return request.QueryInterface(iid, object);
  }
  return CLASS_E_CLASSNOTAVAILABLE;
}

STDAPI DllCanUnloadNow() { return S_FALSE; }
