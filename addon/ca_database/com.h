#ifndef CERTWIRE_CA_DATABASE_COM_H_
#define CERTWIRE_CA_DATABASE_COM_H_

#include <windows.h>
// The interface headers need the one above.
#include <certadm.h>
#include <certcli.h>
#include <certview.h>
#include <ole2.h>

#include <string_view>

namespace ca_database {

/// Why a call failed.
struct Failure {
  HRESULT result = S_OK;
  const char* call = "";  ///< name of the method, a literal

  bool ok() const { return SUCCEEDED(result); }
};

inline constexpr HRESULT kNoSessions =
    static_cast<HRESULT>(0x8009400f);                                  // CERTSRV_E_NO_DB_SESSIONS
inline constexpr HRESULT kNoValue = static_cast<HRESULT>(0x80094004);  // CERTSRV_E_PROPERTY_EMPTY

/// What a row fails with that has no id, lacks columns, or comes out of order.
inline constexpr HRESULT kBadRow = HRESULT_FROM_WIN32(ERROR_INVALID_DATA);

/// True for a failure that is not about one value: the view, the server or the way to it is gone.
inline bool EndsView(HRESULT result) {
  const HRESULT code = HRESULT_CODE(result);
  switch (HRESULT_FACILITY(result)) {
    case FACILITY_RPC:
      return true;
    case FACILITY_WIN32:
      return code == ERROR_INVALID_HANDLE || code == ERROR_OUTOFMEMORY ||
             code == ERROR_ACCESS_DENIED || (code >= 1700 && code < 1900);  // RPC_S_*
    default:
      return result == kNoSessions || result == E_UNEXPECTED;
  }
}

/// The apartment of a thread that makes calls, for as long as it lives.
class Apartment {
 public:
  Apartment() : result_(CoInitializeEx(nullptr, COINIT_MULTITHREADED)) {}
  ~Apartment() {
    if (SUCCEEDED(result_)) CoUninitialize();
  }
  Apartment(const Apartment&) = delete;
  Apartment& operator=(const Apartment&) = delete;

  HRESULT result() const { return result_; }

 private:
  const HRESULT result_;
};

/// Owns one reference to a COM object.
template <typename Interface>
class Reference {
 public:
  Reference() = default;
  ~Reference() { Reset(); }
  Reference(const Reference&) = delete;
  Reference& operator=(const Reference&) = delete;

  void Reset() {
    if (object_ != nullptr) object_->Release();
    object_ = nullptr;
  }
  /// Where a call puts an object; what was held before is released.
  Interface** Out() {
    Reset();
    return &object_;
  }
  Interface* operator->() const { return object_; }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  Interface* object_ = nullptr;
};

/// Owns a BSTR.
class Text {
 public:
  Text() = default;
  explicit Text(std::wstring_view text)
      : text_(SysAllocStringLen(text.data(), static_cast<UINT>(text.size()))) {}
  ~Text() { SysFreeString(text_); }
  Text(const Text&) = delete;
  Text& operator=(const Text&) = delete;

  BSTR get() const { return text_; }
  /// Where a call puts a text; what was held before is freed.
  BSTR* Out() {
    SysFreeString(text_);
    text_ = nullptr;
    return &text_;
  }
  std::u16string_view units() const {
    static_assert(sizeof(wchar_t) == sizeof(char16_t));
    return {reinterpret_cast<const char16_t*>(text_), text_ == nullptr ? 0 : SysStringLen(text_)};
  }

 private:
  BSTR text_ = nullptr;
};

/// Owns a VARIANT.
class Variant {
 public:
  Variant() { VariantInit(&value_); }
  ~Variant() { VariantClear(&value_); }
  Variant(const Variant&) = delete;
  Variant& operator=(const Variant&) = delete;

  const VARIANT& get() const { return value_; }
  /// Where a call puts a value; what was held before is freed.
  VARIANT* Out() {
    VariantClear(&value_);
    return &value_;
  }
  /// True for the value of an empty column.
  bool IsNothing() const { return V_VT(&value_) == VT_EMPTY || V_VT(&value_) == VT_NULL; }

 private:
  VARIANT value_;
};

template <typename Interface>
HRESULT Create(REFCLSID clsid, REFIID iid, Reference<Interface>* out) {
  const HRESULT result = CoCreateInstance(clsid, nullptr, CLSCTX_INPROC_SERVER, iid,
                                          reinterpret_cast<void**>(out->Out()));
  return SUCCEEDED(result) && !*out ? E_NOINTERFACE : result;
}

}  // namespace ca_database

#endif  // CERTWIRE_CA_DATABASE_COM_H_
