#include "exit_client.h"

#include <array>

namespace standin {
namespace {

/// A BSTR for the length of a call.
class CallText {
 public:
  explicit CallText(const std::wstring& text)
      : text_(SysAllocStringLen(text.data(), static_cast<UINT>(text.size()))) {}
  ~CallText() { SysFreeString(text_); }
  CallText(const CallText&) = delete;
  CallText& operator=(const CallText&) = delete;
  BSTR get() const { return text_; }

 private:
  BSTR text_;
};

VARIANT NumberArgument(LONG number) {
  VARIANT argument;
  VariantInit(&argument);
  V_VT(&argument) = VT_I4;
  V_I4(&argument) = number;
  return argument;
}

VARIANT TextArgument(const CallText& text) {
  VARIANT argument;
  VariantInit(&argument);
  V_VT(&argument) = VT_BSTR;
  V_BSTR(&argument) = text.get();
  return argument;
}

/// Moves a BSTR result into `text`; DISP_E_TYPEMISMATCH when it is something else.
HRESULT TakeText(VARIANT* result, std::wstring* text) {
  const bool is_text = V_VT(result) == VT_BSTR;
  if (is_text) text->assign(V_BSTR(result), SysStringLen(V_BSTR(result)));
  VariantClear(result);
  return is_text ? S_OK : DISP_E_TYPEMISMATCH;
}

}  // namespace

HRESULT ExitClient::Create(const std::wstring& prog_id, bool late_bound_only) {
  CLSID clsid;
  HRESULT result = CLSIDFromProgID(prog_id.c_str(), &clsid);
  if (FAILED(result)) return result;
  ComRef<IDispatch> module;
  result =
      CoCreateInstance(clsid, nullptr, CLSCTX_INPROC_SERVER, IID_IDispatch, module.ReceiveVoid());
  return FAILED(result) ? result : Attach(module.get(), late_bound_only);
}

HRESULT ExitClient::Attach(IDispatch* module, bool late_bound_only) {
  const HRESULT result = module->QueryInterface(IID_IDispatch, dispatch_.ReceiveVoid());
  if (FAILED(result) || late_bound_only) return result;
  return module->QueryInterface(IID_ICertExit2, exit_.ReceiveVoid());
}

void ExitClient::Release() {
  exit_.Reset();
  dispatch_.Reset();
}

HRESULT ExitClient::Invoke(const wchar_t* method, VARIANT* arguments, UINT count, VARIANT* result) {
  auto* name = const_cast<LPOLESTR>(method);
  DISPID id = DISPID_UNKNOWN;
  HRESULT status = dispatch_->GetIDsOfNames(IID_NULL, &name, 1, LOCALE_NEUTRAL, &id);
  if (FAILED(status)) return status;
  DISPPARAMS parameters = {arguments, nullptr, count, 0};
  EXCEPINFO exception = {};
  VariantInit(result);
  status = dispatch_->Invoke(id, IID_NULL, LOCALE_NEUTRAL, DISPATCH_METHOD, &parameters, result,
                             &exception, nullptr);
  return status;
}

HRESULT ExitClient::Initialize(const std::wstring& ca_name, bool late_bound, LONG* mask) {
  const CallText name(ca_name);
  if (!late_bound) return exit_->Initialize(name.get(), mask);
  VARIANT argument = TextArgument(name);
  VARIANT result;
  const HRESULT status = Invoke(L"Initialize", &argument, 1, &result);
  if (FAILED(status)) return status;
  if (V_VT(&result) != VT_I4) return DISP_E_TYPEMISMATCH;
  *mask = V_I4(&result);
  return status;
}

HRESULT ExitClient::Notify(LONG event, LONG context, bool late_bound) {
  if (!late_bound) return exit_->Notify(event, context);
  // The last argument comes first.
  std::array<VARIANT, 2> arguments = {NumberArgument(context), NumberArgument(event)};
  VARIANT result;
  return Invoke(L"Notify", arguments.data(), 2, &result);
}

HRESULT ExitClient::GetDescription(bool late_bound, std::wstring* text) {
  VARIANT result;
  VariantInit(&result);
  if (late_bound) {
    const HRESULT status = Invoke(L"GetDescription", nullptr, 0, &result);
    return FAILED(status) ? status : TakeText(&result, text);
  }
  V_VT(&result) = VT_BSTR;
  V_BSTR(&result) = nullptr;
  const HRESULT status = exit_->GetDescription(&V_BSTR(&result));
  return FAILED(status) ? status : TakeText(&result, text);
}

HRESULT ExitClient::GetManager(bool late_bound, ICertManageModule** manager) {
  if (!late_bound) return exit_->GetManageModule(manager);
  VARIANT result;
  const HRESULT status = Invoke(L"GetManageModule", nullptr, 0, &result);
  if (FAILED(status)) return status;
  const bool is_object = V_VT(&result) == VT_DISPATCH || V_VT(&result) == VT_UNKNOWN;
  const HRESULT found = is_object ? V_UNKNOWN(&result)->QueryInterface(
                                        IID_ICertManageModule, reinterpret_cast<void**>(manager))
                                  : DISP_E_TYPEMISMATCH;
  VariantClear(&result);
  return found;
}

HRESULT ExitClient::GetManageProperty(const std::wstring& name, bool late_bound,
                                      std::wstring* text) {
  ComRef<ICertManageModule> manager;
  const HRESULT status = GetManager(late_bound, manager.Receive());
  if (FAILED(status)) return status;
  const CallText empty(L"");
  const CallText property(name);
  VARIANT result;
  VariantInit(&result);
  const HRESULT read = manager->GetProperty(empty.get(), empty.get(), property.get(), 0, &result);
  return FAILED(read) ? read : TakeText(&result, text);
}

}  // namespace standin
