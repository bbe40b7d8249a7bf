#include "server_properties.h"

#include <utility>

#include "collect/variant_value.h"

namespace exit_module {
namespace {

using collect::HResult;
using collect::PropertyType;
using collect::SourceValue;
using collect::ToSourceValue;

std::wstring_view Wide(std::u16string_view text) {
  static_assert(sizeof(wchar_t) == sizeof(char16_t));
  return {reinterpret_cast<const wchar_t*>(text.data()), text.size()};
}

}  // namespace

ServerProperties::~ServerProperties() {
  Ask([this] {
    VariantClear(&value_);
    if (close_ != nullptr) (server_->*close_)();
    if (server_ != nullptr) server_->Release();
    return S_OK;
  });
}

template <typename Call>
HResult ServerProperties::Ask(Call call) {
  if (faulted_) return static_cast<HResult>(E_UNEXPECTED);
  HRESULT result = E_UNEXPECTED;
  faulted_ = !Guarded([&] { result = call(); }, &fault_);
  return static_cast<HResult>(result);
}

template <typename Call>
HResult ServerProperties::AskValue(std::u16string_view name, SourceValue* value, Call call) {
  const Bstr asked(Wide(name));
  if (asked.get() == nullptr) return static_cast<HResult>(E_OUTOFMEMORY);
  return Ask([&] {
    VariantClear(&value_);
    const HRESULT result = call(asked.get());
    if (SUCCEEDED(result)) *value = ToSourceValue(value_);
    return result;
  });
}

template <typename Call>
HResult ServerProperties::AskName(std::u16string* name, Call call) {
  const HResult result = Ask([&] {
    VariantClear(&value_);
    BSTR text = nullptr;
    const HRESULT asked = call(&text);
    V_VT(&value_) = VT_BSTR;
    V_BSTR(&value_) = text;
    return asked;
  });
  if (collect::Failed(result)) return result;
  // Some servers end an enumeration by a null string instead of S_FALSE.
  if (V_BSTR(&value_) == nullptr) return collect::kFalse;
  // Copied outside of the guard: a lack of memory is not a fault of the server.
  const std::wstring_view text = TextOf(V_BSTR(&value_));
  name->assign(text.begin(), text.end());
  return result;
}

HResult ServerProperties::Open(int32_t context) {
  open_result_ = Ask([&] {
    const HRESULT result =
        CoCreateInstance(kClsidCertServerExit, nullptr, CLSCTX_INPROC_SERVER, IID_ICertServerExit,
                         reinterpret_cast<void**>(&server_));
    if (FAILED(result)) return result;
    if (server_ == nullptr) return E_NOINTERFACE;
    // A new object is about the CA itself, which is context 0.
    return context == 0 ? result : server_->SetContext(context);
  });
  return open_result_;
}

HResult ServerProperties::GetRequestProperty(std::u16string_view name, PropertyType type,
                                             SourceValue* value) {
  return AskValue(name, value, [&](BSTR asked) {
    return server_->GetRequestProperty(asked, static_cast<LONG>(type), &value_);
  });
}

HResult ServerProperties::GetCertificateProperty(std::u16string_view name, PropertyType type,
                                                 SourceValue* value) {
  return AskValue(name, value, [&](BSTR asked) {
    return server_->GetCertificateProperty(asked, static_cast<LONG>(type), &value_);
  });
}

HResult ServerProperties::GetAttribute(std::u16string_view name, SourceValue* value) {
  return AskValue(name, value, [&](BSTR asked) {
    BSTR text = nullptr;
    const HRESULT result = server_->GetRequestAttribute(asked, &text);
    V_VT(&value_) = VT_BSTR;
    V_BSTR(&value_) = text;
    return result;
  });
}

HResult ServerProperties::GetExtension(std::u16string_view oid, SourceValue* value) {
  return AskValue(oid, value, [&](BSTR asked) {
    return server_->GetCertificateExtension(asked, static_cast<LONG>(PropertyType::kBinary),
                                            &value_);
  });
}

HResult ServerProperties::GetExtensionFlags(int32_t* flags) {
  LONG read = 0;
  const HResult result = Ask([&] { return server_->GetCertificateExtensionFlags(&read); });
  *flags = read;
  return result;
}

template <typename Call>
HResult ServerProperties::Begin(Call setup, EnumerationClose close) {
  const HResult result = Ask(setup);
  if (!collect::Failed(result)) close_ = close;
  return result;
}

void ServerProperties::EndEnumeration() {
  const EnumerationClose close = std::exchange(close_, nullptr);
  Ask([&] { return (server_->*close)(); });
}

HResult ServerProperties::BeginAttributes() {
  return Begin([&] { return server_->EnumerateAttributesSetup(0); },
               &ICertServerExit::EnumerateAttributesClose);
}

HResult ServerProperties::NextAttribute(std::u16string* name) {
  return AskName(name, [&](BSTR* text) { return server_->EnumerateAttributes(text); });
}

HResult ServerProperties::BeginExtensions() {
  return Begin([&] { return server_->EnumerateExtensionsSetup(0); },
               &ICertServerExit::EnumerateExtensionsClose);
}

HResult ServerProperties::NextExtension(std::u16string* oid) {
  return AskName(oid, [&](BSTR* text) { return server_->EnumerateExtensions(text); });
}

}  // namespace exit_module
