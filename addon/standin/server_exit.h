#ifndef CERTWIRE_STANDIN_SERVER_EXIT_H_
#define CERTWIRE_STANDIN_SERVER_EXIT_H_

#include <atomic>
#include <memory>
#include <string>

#include "guids.h"
#include "scenario.h"
#include "tally.h"

namespace standin {

/// One running call of the module: what it may read, until the call returns.
struct Call {
  const Scenario* scenario;
  const Step* step;
  Tally* tally;
  std::atomic<bool> over = false;
};

/// Marks the calling thread as being inside a call of the module, for as long as it lives.
class CallScope {
 public:
  CallScope(const Scenario& scenario, const Step& step, Tally* tally);
  ~CallScope();
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;

 private:
  std::shared_ptr<Call> call_;
};

/// The fake CCertServerExit. An object belongs to the call and the thread that created it, serves
/// what the step of that call holds, and tallies every use outside of them.
class ServerExit final : public ICertServerExit {
 public:
  explicit ServerExit(std::shared_ptr<Call> call);

  STDMETHODIMP QueryInterface(REFIID iid, void** object) override;
  STDMETHODIMP_(ULONG) AddRef() override;
  STDMETHODIMP_(ULONG) Release() override;

  STDMETHODIMP GetTypeInfoCount(UINT* count) override;
  STDMETHODIMP GetTypeInfo(UINT index, LCID locale, ITypeInfo** info) override;
  STDMETHODIMP GetIDsOfNames(REFIID iid, LPOLESTR* names, UINT count, LCID locale,
                             DISPID* ids) override;
  STDMETHODIMP Invoke(DISPID id, REFIID iid, LCID locale, WORD flags, DISPPARAMS* parameters,
                      VARIANT* result, EXCEPINFO* exception, UINT* bad_argument) override;

  STDMETHODIMP SetContext(LONG context) override;
  STDMETHODIMP GetRequestProperty(const BSTR name, LONG type, VARIANT* value) override;
  STDMETHODIMP GetRequestAttribute(const BSTR name, BSTR* value) override;
  STDMETHODIMP GetCertificateProperty(const BSTR name, LONG type, VARIANT* value) override;
  STDMETHODIMP GetCertificateExtension(const BSTR name, LONG type, VARIANT* value) override;
  STDMETHODIMP GetCertificateExtensionFlags(LONG* flags) override;
  STDMETHODIMP EnumerateExtensionsSetup(LONG flags) override;
  STDMETHODIMP EnumerateExtensions(BSTR* name) override;
  STDMETHODIMP EnumerateExtensionsClose() override;
  STDMETHODIMP EnumerateAttributesSetup(LONG flags) override;
  STDMETHODIMP EnumerateAttributes(BSTR* name) override;
  STDMETHODIMP EnumerateAttributesClose() override;

 private:
  /// Position of an enumeration.
  struct Cursor {
    bool open = false;
    size_t next = 0;
  };

  ~ServerExit();

  /// Tallies a use after the call or from another thread; false when the call must fail.
  bool Usable(const wchar_t* method);
  bool RowVisible() const { return context_ == call_->step->context; }
  HRESULT ReadProperty(const Properties* properties, const std::wstring& name,
                       const std::wstring& qualified, LONG type, VARIANT* out);
  HRESULT Setup(const wchar_t* enumeration, LONG flags, Cursor* cursor);
  HRESULT Close(const wchar_t* enumeration, Cursor* cursor);
  void ReportMismatch(HRESULT result, const std::wstring& name);

  const std::shared_ptr<Call> call_;
  const DWORD thread_;
  std::atomic<ULONG> references_ = 1;
  LONG context_ = 0;
  LONG last_extension_flags_ = 0;
  Cursor attributes_;
  Cursor extensions_;
};

/// Class object of the fake; creates objects only for a thread that is inside a call.
IClassFactory* ServerExitFactory();

}  // namespace standin

#endif  // CERTWIRE_STANDIN_SERVER_EXIT_H_
