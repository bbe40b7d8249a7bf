#include "manage_module.h"

#include "version.h"

namespace exit_module {

const wchar_t kDescription[] =
    L"Certwire exit module " CERTWIRE_VERSION L" (records CA events for Kafka and RabbitMQ)";

namespace {

enum ManageDispatchId : DISPID {
  kGetProperty = 0x60020000,
  kSetProperty = 0x60020001,
  kConfigure = 0x60020002,
};

constexpr Method kManageMethods[] = {
    {L"GetProperty", kGetProperty, 4},
    {L"SetProperty", kSetProperty, 5},
    {L"Configure", kConfigure, 3},
};

struct TextProperty {
  const wchar_t* name;
  const wchar_t* text;
};

constexpr TextProperty kTexts[] = {
    {wszCMM_PROP_NAME, L"Certwire"},
    {wszCMM_PROP_DESCRIPTION, kDescription},
    {wszCMM_PROP_COPYRIGHT, L"Apache License 2.0"},
    {wszCMM_PROP_FILEVER, CERTWIRE_VERSION},
    {wszCMM_PROP_PRODUCTVER, CERTWIRE_VERSION},
};

bool IsName(BSTR given, const wchar_t* name) {
  const auto text = TextOf(given);
  return CompareStringOrdinal(text.data(), static_cast<int>(text.size()), name, -1, TRUE) ==
         CSTR_EQUAL;
}

HRESULT ReadProperty(BSTR name, VARIANT* value) {
  for (const TextProperty& property : kTexts) {
    if (!IsName(name, property.name)) continue;
    V_VT(value) = VT_BSTR;
    return ReturnText(property.text, &V_BSTR(value));
  }
  if (!IsName(name, wszCMM_PROP_ISMULTITHREADED)) return S_FALSE;
  V_VT(value) = VT_I4;
  V_I4(value) = 1;
  return S_OK;
}

}  // namespace

ManageModule::ManageModule() : DualObject(kManageMethods) {}

STDMETHODIMP ManageModule::QueryInterface(REFIID iid, void** object) noexcept {
  if (object == nullptr) return E_POINTER;
  return GuardedEntry([&] {
    *object = nullptr;
    if (!IsEqualIID(iid, IID_IUnknown) && !IsEqualIID(iid, IID_IDispatch) &&
        !IsEqualIID(iid, IID_ICertManageModule)) {
      return E_NOINTERFACE;
    }
    *object = static_cast<ICertManageModule*>(this);
    AddRef();
    return S_OK;
  });
}

HRESULT ManageModule::Call(DISPID id, Arguments* arguments, VARIANT* result) {
  const BSTR config = arguments->Text(0);
  const BSTR storage = arguments->Text(1);
  if (id == kConfigure) {
    const LONG flags = arguments->Long(2);
    return FAILED(arguments->result()) ? arguments->result() : Configure(config, storage, flags);
  }
  const BSTR name = arguments->Text(2);
  const LONG flags = arguments->Long(3);
  if (FAILED(arguments->result())) return arguments->result();
  if (id == kGetProperty) return GetProperty(config, storage, name, flags, result);
  return SetProperty(config, storage, name, flags, arguments->Any(4));
}

STDMETHODIMP ManageModule::GetProperty(const BSTR, BSTR, BSTR name, LONG, VARIANT* value) noexcept {
  if (value == nullptr) return E_POINTER;
  return GuardedEntry([&] {
    VariantInit(value);
    return ReadProperty(name, value);
  });
}

STDMETHODIMP ManageModule::SetProperty(const BSTR, BSTR, BSTR name, LONG,
                                       const VARIANT* value) noexcept {
  if (value == nullptr) return E_POINTER;
  return GuardedEntry([&] { return IsName(name, wszCMM_PROP_DISPLAY_HWND) ? S_OK : S_FALSE; });
}

STDMETHODIMP ManageModule::Configure(const BSTR, BSTR, LONG) noexcept { return S_OK; }

}  // namespace exit_module
