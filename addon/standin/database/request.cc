#include <certcli.h>

#include "database/fake_object.h"
#include "database/view.h"

namespace standin {
namespace {

/// Answers about the certification authority to everybody who may request certificates.
class CertRequest final : public FakeObject<ICertRequest2> {
 public:
  explicit CertRequest(Database& database) : FakeObject(database) {}

  STDMETHODIMP GetCAProperty(const BSTR config, LONG id, LONG index, LONG type, LONG flags,
                             VARIANT* value) override {
    return AnswerCaProperty("RequestGetCAProperty", config, {id, index, type}, flags, value);
  }

  STDMETHODIMP Submit(LONG, const BSTR, const BSTR, const BSTR, LONG*) override { return Unused(); }
  STDMETHODIMP RetrievePending(LONG, const BSTR, LONG*) override { return Unused(); }
  STDMETHODIMP GetLastStatus(LONG*) override { return Unused(); }
  STDMETHODIMP GetRequestId(LONG*) override { return Unused(); }
  STDMETHODIMP GetDispositionMessage(BSTR*) override { return Unused(); }
  STDMETHODIMP GetCACertificate(LONG, const BSTR, LONG, BSTR*) override { return Unused(); }
  STDMETHODIMP GetCertificate(LONG, BSTR*) override { return Unused(); }
  STDMETHODIMP GetIssuedCertificate(const BSTR, LONG, const BSTR, LONG*) override {
    return Unused();
  }
  STDMETHODIMP GetErrorMessageText(LONG, LONG, BSTR*) override { return Unused(); }
  STDMETHODIMP GetCAPropertyFlags(const BSTR, LONG, LONG*) override { return Unused(); }
  STDMETHODIMP GetCAPropertyDisplayName(const BSTR, LONG, BSTR*) override { return Unused(); }
  STDMETHODIMP GetFullResponseProperty(LONG, LONG, LONG, LONG, VARIANT*) override {
    return Unused();
  }

 private:
  bool IsOwn(REFIID iid) const override {
    return IsId(iid, L"{A4772988-4A85-4FA9-824E-B5CF5C16405A}");
  }
  /// A reader of the database requests nothing.
  HRESULT Unused() { return Breach("a method of CCertRequest that no reader needs", E_NOTIMPL); }
};

}  // namespace

IUnknown* MakeCertRequest(Database& database) { return new CertRequest(database); }

}  // namespace standin
