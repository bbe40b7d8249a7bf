#ifndef CERTWIRE_EXIT_MODULE_COM_H_
#define CERTWIRE_EXIT_MODULE_COM_H_

#include <windows.h>
// The interface headers need the one above.
#include <certexit.h>
#include <certif.h>
#include <certmod.h>
#include <ole2.h>

#include <string_view>
#include <utility>

namespace exit_module {

/// Class of the object through which a module asks the certification authority.
extern const CLSID kClsidCertServerExit;
/// Certwire.Exit and Certwire.ExitManage: generated once, never to change.
extern const CLSID kClsidExit;
extern const CLSID kClsidExitManage;

inline constexpr wchar_t kExitProgId[] = L"Certwire.Exit";
inline constexpr wchar_t kManageProgId[] = L"Certwire.ExitManage";

/// Owns a BSTR.
class Bstr {
 public:
  Bstr() = default;
  explicit Bstr(std::wstring_view text)
      : text_(SysAllocStringLen(text.data(), static_cast<UINT>(text.size()))) {}
  ~Bstr() { SysFreeString(text_); }
  Bstr(const Bstr&) = delete;
  Bstr& operator=(const Bstr&) = delete;

  BSTR get() const { return text_; }
  BSTR Detach() { return std::exchange(text_, nullptr); }

 private:
  BSTR text_ = nullptr;
};

/// The text of a BSTR, which may be null.
inline std::wstring_view TextOf(const BSTR text) {
  return text == nullptr ? std::wstring_view() : std::wstring_view(text, SysStringLen(text));
}

/// Makes `text` an out-parameter.
inline HRESULT ReturnText(std::wstring_view text, BSTR* out) {
  *out = Bstr(text).Detach();
  return *out == nullptr ? E_OUTOFMEMORY : S_OK;
}

/// What keeps the DLL loaded: living objects and locks of the class factory.
void AddModuleReference();
void ReleaseModuleReference();
bool IsModuleReferenced();

}  // namespace exit_module

#endif  // CERTWIRE_EXIT_MODULE_COM_H_
