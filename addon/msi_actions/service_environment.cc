#include "service_environment.h"

// After windows.h, which they need.
#include <msi.h>
#include <msiquery.h>

#include <string_view>

#include "custom_action.h"

namespace msi_actions {
namespace {

constexpr wchar_t kServiceKey[] = L"SYSTEM\\CurrentControlSet\\Services\\Certwire";
constexpr wchar_t kValue[] = L"Environment";
constexpr wchar_t kDigits[] = L"0123456789ABCDEF";
constexpr size_t kDigitsPerUnit = 4;
/// The deferred actions that get the environment, as their CustomActionData. The names are not
/// upper-case: no command line can set them.
constexpr const wchar_t* kRestoringActions[] = {L"RestoreEnvironment", L"RestoreEnvironmentAgain"};

/// Four hexadecimal digits for each UTF-16 unit: a property holds no terminator within its text.
std::wstring Encode(std::wstring_view text) {
  std::wstring digits;
  digits.reserve(text.size() * kDigitsPerUnit);
  for (const wchar_t unit : text) {
    for (int shift = 12; shift >= 0; shift -= 4) digits += kDigits[(unit >> shift) & 0xF];
  }
  return digits;
}

/// False if the text is not what `Encode` makes.
bool Decode(std::wstring_view digits, std::wstring& text) {
  text.clear();
  if (digits.size() % kDigitsPerUnit != 0) return false;
  for (size_t at = 0; at < digits.size(); at += kDigitsPerUnit) {
    unsigned unit = 0;
    for (const wchar_t digit : digits.substr(at, kDigitsPerUnit)) {
      const size_t value = std::wstring_view(kDigits).find(digit);
      if (value == std::wstring_view::npos) return false;
      unit = unit << 4 | static_cast<unsigned>(value);
    }
    text += static_cast<wchar_t>(unit);
  }
  return true;
}

LSTATUS WriteEnvironment(const std::wstring& entries) {
  HKEY key = nullptr;
  const LSTATUS status = RegOpenKeyExW(HKEY_LOCAL_MACHINE, kServiceKey, 0, KEY_SET_VALUE, &key);
  if (status != ERROR_SUCCESS) return status;
  // With the terminator of the string, which ends the list.
  const auto bytes = static_cast<DWORD>((entries.size() + 1) * sizeof(wchar_t));
  const LSTATUS written = RegSetValueExW(key, kValue, 0, REG_MULTI_SZ,
                                         reinterpret_cast<const BYTE*>(entries.c_str()), bytes);
  RegCloseKey(key);
  return written;
}

UINT Fail(MSIHANDLE installation, const wchar_t* what, LSTATUS status) {
  Log(installation,
      std::wstring(L"the value Environment of the service ") + what + L": Windows error " +
          std::to_wstring(status) +
          (status == ERROR_ACCESS_DENIED ? L". Start msiexec in an elevated Command Prompt" : L""));
  return ERROR_INSTALL_FAILURE;
}

}  // namespace

LSTATUS ReadEnvironment(std::wstring& entries) {
  entries.clear();
  LSTATUS status = ERROR_MORE_DATA;
  // The value may grow between the two calls.
  while (status == ERROR_MORE_DATA) {
    DWORD bytes = 0;
    status = RegGetValueW(HKEY_LOCAL_MACHINE, kServiceKey, kValue, RRF_RT_REG_MULTI_SZ, nullptr,
                          nullptr, &bytes);
    if (status != ERROR_SUCCESS) break;
    entries.resize(bytes / sizeof(wchar_t));
    status = RegGetValueW(HKEY_LOCAL_MACHINE, kServiceKey, kValue, RRF_RT_REG_MULTI_SZ, nullptr,
                          entries.data(), &bytes);
    if (status == ERROR_SUCCESS) entries.resize(bytes / sizeof(wchar_t));
  }
  if (status != ERROR_SUCCESS) entries.clear();
  if (status == ERROR_FILE_NOT_FOUND || status == ERROR_UNSUPPORTED_TYPE) return ERROR_SUCCESS;
  // An empty entry ends the list.
  const size_t end = entries.find(std::wstring(2, L'\0'));
  entries.resize(entries.empty() || entries.front() == L'\0' ? 0
                 : end == std::wstring::npos                 ? entries.size()
                                                             : end + 1);
  return status;
}

}  // namespace msi_actions

/// Immediate custom action, before the service is deleted: hands its environment to the actions
/// that write it to the new service, or to the old one if the removal is undone. Fails when it
/// cannot be read, since it would be lost.
extern "C" UINT __stdcall ReadServiceEnvironment(MSIHANDLE installation) {
  std::wstring entries;
  const LSTATUS status = msi_actions::ReadEnvironment(entries);
  if (status != ERROR_SUCCESS) {
    return msi_actions::Fail(installation, L"cannot be read", status);
  }
  const std::wstring digits = msi_actions::Encode(entries);
  for (const wchar_t* action : msi_actions::kRestoringActions) {
    if (MsiSetPropertyW(installation, action, digits.c_str()) != ERROR_SUCCESS) {
      return ERROR_INSTALL_FAILURE;
    }
  }
  return ERROR_SUCCESS;
}

/// Deferred custom action, after the service is there again: writes the environment that
/// `ReadServiceEnvironment` has read.
extern "C" UINT __stdcall RestoreServiceEnvironment(MSIHANDLE installation) {
  std::wstring entries;
  if (!msi_actions::Decode(msi_actions::CustomActionData(installation), entries)) {
    return msi_actions::Fail(installation, L"was not handed over", ERROR_INVALID_DATA);
  }
  if (entries.empty()) return ERROR_SUCCESS;
  const LSTATUS status = msi_actions::WriteEnvironment(entries);
  if (status == ERROR_SUCCESS) return ERROR_SUCCESS;
  return msi_actions::Fail(installation, L"cannot be written", status);
}
