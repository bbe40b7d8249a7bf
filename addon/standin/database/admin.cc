#include <certadm.h>
#include <certsrv.h>

#include "database/fake_object.h"
#include "database/view.h"
#include "variants.h"

namespace standin {
namespace {

class CertAdmin final : public FakeObject<ICertAdmin2> {
 public:
  explicit CertAdmin(Database& database) : FakeObject(database) {}

  STDMETHODIMP GetCAProperty(const BSTR config, LONG id, LONG index, LONG type, LONG flags,
                             VARIANT* value) override {
    if (value == nullptr) return E_POINTER;
    const std::wstring plain = std::to_wstring(id);
    const HRESULT suffered = database_.Suffer("GetCAProperty", {0, 0, plain});
    if (FAILED(suffered)) return suffered;
    if (!IsConfig(config)) return E_INVALIDARG;
    if (type == PROPTYPE_BINARY && flags != CV_OUT_BINARY) {
      return Breach("a binary that is not asked for as one", E_INVALIDARG);
    }
    auto found = database_.CaProperty(plain + L"." + std::to_wstring(index));
    if (!found.has_value() && index == 0) found = database_.CaProperty(plain);
    return found.has_value() ? MakeVariant(*found, type, this, value) : E_INVALIDARG;
  }

  STDMETHODIMP GetMyRoles(const BSTR config, LONG* roles) override {
    if (roles == nullptr) return E_POINTER;
    const HRESULT suffered = database_.Suffer("GetMyRoles", {});
    if (FAILED(suffered)) return suffered;
    if (!IsConfig(config)) return E_INVALIDARG;
    *roles = database_.roles();
    return S_OK;
  }

  STDMETHODIMP IsValidCertificate(const BSTR, const BSTR, LONG*) override { return Unused(); }
  STDMETHODIMP GetRevocationReason(LONG*) override { return Unused(); }
  STDMETHODIMP RevokeCertificate(const BSTR, const BSTR, LONG, DATE) override { return Unused(); }
  STDMETHODIMP SetRequestAttributes(const BSTR, LONG, const BSTR) override { return Unused(); }
  STDMETHODIMP SetCertificateExtension(const BSTR, LONG, const BSTR, LONG, LONG,
                                       const VARIANT*) override {
    return Unused();
  }
  STDMETHODIMP DenyRequest(const BSTR, LONG) override { return Unused(); }
  STDMETHODIMP ResubmitRequest(const BSTR, LONG, LONG*) override { return Unused(); }
  STDMETHODIMP PublishCRL(const BSTR, DATE) override { return Unused(); }
  STDMETHODIMP GetCRL(const BSTR, LONG, BSTR*) override { return Unused(); }
  STDMETHODIMP ImportCertificate(const BSTR, const BSTR, LONG, LONG*) override { return Unused(); }
  STDMETHODIMP PublishCRLs(const BSTR, DATE, LONG) override { return Unused(); }
  STDMETHODIMP SetCAProperty(const BSTR, LONG, LONG, LONG, VARIANT*) override { return Unused(); }
  STDMETHODIMP GetCAPropertyFlags(const BSTR, LONG, LONG*) override { return Unused(); }
  STDMETHODIMP GetCAPropertyDisplayName(const BSTR, LONG, BSTR*) override { return Unused(); }
  STDMETHODIMP GetArchivedKey(const BSTR, LONG, LONG, BSTR*) override { return Unused(); }
  STDMETHODIMP GetConfigEntry(const BSTR, const BSTR, const BSTR, VARIANT*) override {
    return Unused();
  }
  STDMETHODIMP SetConfigEntry(const BSTR, const BSTR, const BSTR, VARIANT*) override {
    return Unused();
  }
  STDMETHODIMP ImportKey(const BSTR, LONG, const BSTR, LONG, const BSTR) override {
    return Unused();
  }
  STDMETHODIMP DeleteRow(const BSTR, LONG, DATE, LONG, LONG, LONG*) override { return Unused(); }

 private:
  bool IsOwn(REFIID iid) const override {
    return IsId(iid, L"{F7C3AC41-B8CE-4FB4-AA58-3D1DC0E36B39}");
  }
  bool IsConfig(const BSTR config) const {
    return config != nullptr && lstrcmpiW(config, database_.config().c_str()) == 0;
  }
  /// A reader of the database changes nothing.
  HRESULT Unused() { return Breach("a method of CCertAdmin that no reader needs", E_NOTIMPL); }
};

}  // namespace

IUnknown* MakeCertAdmin(Database& database) { return new CertAdmin(database); }

}  // namespace standin
