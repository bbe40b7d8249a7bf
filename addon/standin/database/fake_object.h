#ifndef CERTWIRE_STANDIN_DATABASE_FAKE_OBJECT_H_
#define CERTWIRE_STANDIN_DATABASE_FAKE_OBJECT_H_

#include <windows.h>
// The interface headers need the one above.
#include <certsrv.h>
#include <certview.h>
#include <ole2.h>

#include <atomic>

#include "database/database.h"
#include "variants.h"

namespace standin {

/// An interface id from its text: written here once more, apart from the reader's own.
inline bool IsId(REFIID iid, const wchar_t* text) {
  IID known;
  return SUCCEEDED(IIDFromString(text, &known)) && IsEqualIID(iid, known);
}

/// Which property of a certification authority is asked for.
struct CaPropertyPlace {
  LONG id = 0;
  LONG index = 0;
  LONG type = 0;  ///< PROPTYPE_*
};

/// A COM object on the heap, made with one reference, that is only called by its vtable.
template <typename Interface>
class FakeObject : public Interface {
 public:
  FakeObject(const FakeObject&) = delete;
  FakeObject& operator=(const FakeObject&) = delete;

  STDMETHODIMP QueryInterface(REFIID iid, void** object) override {
    if (object == nullptr) return E_POINTER;
    *object = nullptr;
    if (!IsEqualIID(iid, IID_IUnknown) && !IsEqualIID(iid, IID_IDispatch) && !IsOwn(iid)) {
      return E_NOINTERFACE;
    }
    *object = static_cast<Interface*>(this);
    AddRef();
    return S_OK;
  }
  STDMETHODIMP_(ULONG) AddRef() override { return ++references_; }
  STDMETHODIMP_(ULONG) Release() override {
    const ULONG left = --references_;
    if (left == 0) delete this;
    return left;
  }

  STDMETHODIMP GetTypeInfoCount(UINT*) override { return E_NOTIMPL; }
  STDMETHODIMP GetTypeInfo(UINT, LCID, ITypeInfo**) override { return E_NOTIMPL; }
  STDMETHODIMP GetIDsOfNames(REFIID, LPOLESTR*, UINT, LCID, DISPID*) override { return E_NOTIMPL; }
  STDMETHODIMP Invoke(DISPID, REFIID, LCID, WORD, DISPPARAMS*, VARIANT*, EXCEPINFO*,
                      UINT*) override {
    return E_NOTIMPL;
  }

 protected:
  explicit FakeObject(Database& database) : database_(database) { database_.ObjectMade(); }
  virtual ~FakeObject() { database_.ObjectGone(); }

  virtual bool IsOwn(REFIID iid) const = 0;

  /// Notes a breach of the contract, and is the failure of the call.
  HRESULT Breach(const char* what, HRESULT result = E_UNEXPECTED) {
    database_.Violation(what);
    return result;
  }

  /// What GetCAProperty answers, whichever class is asked; `call` is its name in the script.
  HRESULT AnswerCaProperty(const char* call, const BSTR config, const CaPropertyPlace& place,
                           LONG flags, VARIANT* value) {
    if (value == nullptr) return E_POINTER;
    const std::wstring plain = std::to_wstring(place.id);
    const HRESULT suffered = database_.Suffer(call, {0, 0, plain});
    if (FAILED(suffered)) return suffered;
    if (!IsConfig(config)) return E_INVALIDARG;
    if (place.type == PROPTYPE_BINARY && flags != CV_OUT_BINARY) {
      return Breach("a binary that is not asked for as one", E_INVALIDARG);
    }
    auto found = database_.CaProperty(plain + L"." + std::to_wstring(place.index));
    if (!found.has_value() && place.index == 0) found = database_.CaProperty(plain);
    return found.has_value() ? MakeVariant(*found, place.type, this, value) : E_INVALIDARG;
  }

  bool IsConfig(const BSTR config) const {
    return config != nullptr && lstrcmpiW(config, database_.config().c_str()) == 0;
  }

  Database& database_;

 private:
  std::atomic<ULONG> references_{1};
};

}  // namespace standin

#endif  // CERTWIRE_STANDIN_DATABASE_FAKE_OBJECT_H_
