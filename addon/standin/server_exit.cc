#include "server_exit.h"

#include "text.h"
#include "variants.h"

namespace standin {
namespace {

// The call that runs on this thread. A plain pointer: mingw frees a thread's variables before it
// runs their destructors.
thread_local const std::shared_ptr<Call>* current_call = nullptr;

/// Lets the fault happen; S_OK when the call goes on.
HRESULT Suffer(const Fault& fault) {
  if (fault.delay_ms > 0) Sleep(fault.delay_ms);
  if (fault.crash) {
    volatile int* nowhere = nullptr;
    *nowhere = 1;
  }
  return fault.failure.value_or(S_OK);
}

std::wstring NameOf(const BSTR name) {
  return name == nullptr ? std::wstring() : std::wstring(name, SysStringLen(name));
}

BSTR BstrOf(const std::wstring& text) {
  return SysAllocStringLen(text.data(), static_cast<UINT>(text.size()));
}

/// Both forms of a column's name are accepted: `X` and `<prefix>X`.
std::wstring WithoutPrefix(const std::wstring& name, std::wstring_view prefix) {
  return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

const Value* Find(const Properties& properties, const std::wstring& name) {
  const auto found = properties.find(name);
  return found == properties.end() ? nullptr : &found->second;
}

class Factory final : public IClassFactory {
 public:
  STDMETHODIMP QueryInterface(REFIID iid, void** object) override {
    if (object == nullptr) return E_POINTER;
    const bool known = IsEqualIID(iid, IID_IUnknown) || IsEqualIID(iid, IID_IClassFactory);
    *object = known ? this : nullptr;
    return known ? S_OK : E_NOINTERFACE;
  }
  // The factory lives as long as the process.
  STDMETHODIMP_(ULONG) AddRef() override { return 2; }
  STDMETHODIMP_(ULONG) Release() override { return 1; }
  STDMETHODIMP LockServer(BOOL) override { return S_OK; }

  STDMETHODIMP CreateInstance(IUnknown* outer, REFIID iid, void** object) override {
    if (object == nullptr) return E_POINTER;
    *object = nullptr;
    if (outer != nullptr) return CLASS_E_NOAGGREGATION;
    if (current_call == nullptr) return E_UNEXPECTED;
    const HRESULT fault = Suffer((*current_call)->step->FaultOf(L"create"));
    if (FAILED(fault)) return fault;
    auto* server = new ServerExit(*current_call);
    const HRESULT result = server->QueryInterface(iid, object);
    server->Release();
    return result;
  }
};

}  // namespace

IClassFactory* ServerExitFactory() {
  static Factory factory;
  return &factory;
}

CallScope::CallScope(const Scenario& scenario, const Step& step, Tally* tally)
    : call_(std::make_shared<Call>(&scenario, &step, tally)) {
  current_call = &call_;
}

CallScope::~CallScope() {
  call_->over = true;
  current_call = nullptr;
}

ServerExit::ServerExit(std::shared_ptr<Call> call)
    : call_(std::move(call)), thread_(GetCurrentThreadId()) {
  call_->tally->ObjectMade();
}

ServerExit::~ServerExit() { call_->tally->ObjectGone(); }

STDMETHODIMP ServerExit::QueryInterface(REFIID iid, void** object) {
  if (object == nullptr) return E_POINTER;
  *object = nullptr;
  if (!IsEqualIID(iid, IID_IUnknown) && !IsEqualIID(iid, IID_IDispatch) &&
      !IsEqualIID(iid, IID_ICertServerExit)) {
    return E_NOINTERFACE;
  }
  *object = static_cast<ICertServerExit*>(this);
  AddRef();
  return S_OK;
}

STDMETHODIMP_(ULONG) ServerExit::AddRef() { return ++references_; }

STDMETHODIMP_(ULONG) ServerExit::Release() {
  const ULONG left = --references_;
  if (left == 0) delete this;
  return left;
}

bool ServerExit::Usable(const wchar_t* method) {
  if (call_->over) call_->tally->Violation(std::wstring(method) + L" after the call had returned");
  if (GetCurrentThreadId() != thread_) {
    call_->tally->Violation(std::wstring(method) + L" from another thread");
  }
  return !call_->over && GetCurrentThreadId() == thread_;
}

STDMETHODIMP ServerExit::SetContext(LONG context) {
  if (!Usable(L"SetContext")) return E_UNEXPECTED;
  const HRESULT fault = Suffer(call_->step->FaultOf(L"SetContext"));
  if (FAILED(fault)) return fault;
  if (context != 0 && context != call_->step->context) {
    call_->tally->Violation(L"SetContext with the context of no running call");
    return E_INVALIDARG;
  }
  context_ = context;
  return S_OK;
}

HRESULT ServerExit::ReadProperty(const Properties* properties, const std::wstring& name,
                                 const std::wstring& qualified, LONG type, VARIANT* out) {
  const HRESULT fault = Suffer(call_->step->FaultOfRead(qualified));
  if (FAILED(fault)) return fault;
  const Value* value = properties == nullptr ? nullptr : Find(*properties, name);
  if (value == nullptr) return CERTSRV_E_PROPERTY_EMPTY;
  const HRESULT result = MakeVariant(*value, type, this, out);
  if (value->kind != ValueKind::kFailure) ReportMismatch(result, qualified);
  return result;
}

void ServerExit::ReportMismatch(HRESULT result, const std::wstring& name) {
  if (result == E_INVALIDARG) call_->tally->Violation(name + L" asked with a type it has not");
}

STDMETHODIMP ServerExit::GetRequestProperty(const BSTR name, LONG type, VARIANT* value) {
  if (value == nullptr) return E_POINTER;
  if (!Usable(L"GetRequestProperty")) return E_UNEXPECTED;
  const std::wstring plain = WithoutPrefix(WithoutPrefix(NameOf(name), L"Request."), L"Subject.");
  const std::wstring qualified = L"request." + plain;
  call_->tally->Asked(qualified);
  const Properties* row = RowVisible() ? &call_->step->request : nullptr;
  return ReadProperty(row, plain, qualified, type, value);
}

STDMETHODIMP ServerExit::GetCertificateProperty(const BSTR name, LONG type, VARIANT* value) {
  if (value == nullptr) return E_POINTER;
  if (!Usable(L"GetCertificateProperty")) return E_UNEXPECTED;
  const std::wstring plain = WithoutPrefix(NameOf(name), L"Subject.");
  call_->tally->Asked(L"certificate." + plain);
  const Step& step = *call_->step;
  if (Find(step.ca, plain) != nullptr) {
    return ReadProperty(&step.ca, plain, L"ca." + plain, type, value);
  }
  if (Find(call_->scenario->ca, plain) != nullptr) {
    return ReadProperty(&call_->scenario->ca, plain, L"ca." + plain, type, value);
  }
  const Properties* row = RowVisible() ? &step.certificate : nullptr;
  return ReadProperty(row, plain, L"certificate." + plain, type, value);
}

STDMETHODIMP ServerExit::GetRequestAttribute(const BSTR name, BSTR* value) {
  if (value == nullptr) return E_POINTER;
  *value = nullptr;
  if (!Usable(L"GetRequestAttribute")) return E_UNEXPECTED;
  const std::wstring plain = NameOf(name);
  const HRESULT fault = Suffer(call_->step->FaultOfRead(L"attribute." + plain));
  if (FAILED(fault)) return fault;
  for (const Attribute& attribute : call_->step->attributes) {
    if (attribute.name != plain) continue;
    if (attribute.value.kind == ValueKind::kFailure) return attribute.value.failure;
    *value = MakeBstr(*attribute.value.bytes);
    return S_OK;
  }
  if (!call_->step->FaultOf(L"attributes").endless) return CERTSRV_E_PROPERTY_EMPTY;
  *value = BstrOf(plain);
  return S_OK;
}

STDMETHODIMP ServerExit::GetCertificateExtension(const BSTR name, LONG type, VARIANT* value) {
  if (value == nullptr) return E_POINTER;
  if (!Usable(L"GetCertificateExtension")) return E_UNEXPECTED;
  const std::wstring oid = NameOf(name);
  const HRESULT fault = Suffer(call_->step->FaultOfRead(L"extension." + oid));
  if (FAILED(fault)) return fault;
  for (const Extension& extension : call_->step->extensions) {
    if (extension.oid != oid) continue;
    last_extension_flags_ = extension.flags;
    const HRESULT result = MakeVariant(extension.value, type, this, value);
    if (extension.value.kind != ValueKind::kFailure) ReportMismatch(result, L"extension." + oid);
    return result;
  }
  if (!call_->step->FaultOf(L"extensions").endless) return CERTSRV_E_PROPERTY_EMPTY;
  last_extension_flags_ = 0;
  Value null_element;
  null_element.kind = ValueKind::kBinary;
  null_element.bytes = std::make_shared<const std::string>("\x05\x00", 2);
  return MakeVariant(null_element, type, this, value);
}

STDMETHODIMP ServerExit::GetCertificateExtensionFlags(LONG* flags) {
  if (flags == nullptr) return E_POINTER;
  if (!Usable(L"GetCertificateExtensionFlags")) return E_UNEXPECTED;
  *flags = last_extension_flags_;
  return Suffer(call_->step->FaultOf(L"flags"));
}

HRESULT ServerExit::Setup(const wchar_t* enumeration, LONG flags, Cursor* cursor) {
  if (!Usable(enumeration)) return E_UNEXPECTED;
  if (flags != 0) return E_INVALIDARG;
  if (cursor->open) {
    call_->tally->Violation(std::wstring(enumeration) + L" set up again without Close");
  }
  const HRESULT fault = Suffer(call_->step->FaultOf(enumeration));
  if (FAILED(fault)) return fault;
  *cursor = {.open = true, .next = 0};
  return S_OK;
}

HRESULT ServerExit::Close(const wchar_t* enumeration, Cursor* cursor) {
  if (!Usable(enumeration)) return E_UNEXPECTED;
  cursor->open = false;
  return S_OK;
}

STDMETHODIMP ServerExit::EnumerateExtensionsSetup(LONG flags) {
  return Setup(L"extensions", flags, &extensions_);
}

STDMETHODIMP ServerExit::EnumerateExtensions(BSTR* name) {
  if (name == nullptr) return E_POINTER;
  *name = nullptr;
  if (!Usable(L"EnumerateExtensions") || !extensions_.open) return E_UNEXPECTED;
  const size_t index = extensions_.next++;
  const auto& all = call_->step->extensions;
  if (index < all.size()) {
    *name = BstrOf(all[index].oid);
    return S_OK;
  }
  if (!call_->step->FaultOf(L"extensions").endless) return S_FALSE;
  *name = BstrOf(L"1.3.6.1.4.1.99999." + std::to_wstring(index));
  return S_OK;
}

STDMETHODIMP ServerExit::EnumerateExtensionsClose() { return Close(L"extensions", &extensions_); }

STDMETHODIMP ServerExit::EnumerateAttributesSetup(LONG flags) {
  return Setup(L"attributes", flags, &attributes_);
}

STDMETHODIMP ServerExit::EnumerateAttributes(BSTR* name) {
  if (name == nullptr) return E_POINTER;
  *name = nullptr;
  if (!Usable(L"EnumerateAttributes") || !attributes_.open) return E_UNEXPECTED;
  const size_t index = attributes_.next++;
  const auto& all = call_->step->attributes;
  if (index < all.size()) {
    *name = BstrOf(all[index].name);
    return S_OK;
  }
  if (!call_->step->FaultOf(L"attributes").endless) return S_FALSE;
  *name = BstrOf(L"endless" + std::to_wstring(index));
  return S_OK;
}

STDMETHODIMP ServerExit::EnumerateAttributesClose() { return Close(L"attributes", &attributes_); }

}  // namespace standin
