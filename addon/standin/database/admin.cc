#include <certadm.h>

#include "database/fake_object.h"
#include "database/view.h"

namespace standin {
namespace {

class CertAdmin final : public FakeObject<ICertAdmin2> {
 public:
  explicit CertAdmin(Database& database) : FakeObject(database) {}

  STDMETHODIMP GetCAProperty(const BSTR config, LONG id, LONG index, LONG type, LONG flags,
                             VARIANT* value) override {
    return AnswerCaProperty("GetCAProperty", config, {id, index, type}, flags, value);
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
  /// A reader of the database changes nothing.
  HRESULT Unused() { return Breach("a method of CCertAdmin that no reader needs", E_NOTIMPL); }
};

}  // namespace

IUnknown* MakeCertAdmin(Database& database) { return new CertAdmin(database); }

}  // namespace standin
