#include "windows_registry.h"

namespace binding {
namespace {

/// A key of HKEY_LOCAL_MACHINE, in the view of 64-bit programs.
class RegistryKey {
 public:
  RegistryKey(const std::wstring& path, REGSAM rights)
      : error_(static_cast<DWORD>(
            RegOpenKeyExW(HKEY_LOCAL_MACHINE, path.c_str(), 0, rights | KEY_WOW64_64KEY, &key_))) {}
  ~RegistryKey() {
    if (key_ != nullptr) RegCloseKey(key_);
  }
  RegistryKey(const RegistryKey&) = delete;
  RegistryKey& operator=(const RegistryKey&) = delete;

  HKEY get() const { return key_; }
  DWORD error() const { return error_; }

 private:
  HKEY key_ = nullptr;
  const DWORD error_;
};

DWORD ReadFrom(HKEY key, const std::wstring& name, RegistryValue* value) {
  DWORD size = 0;
  LSTATUS status = RegQueryValueExW(key, name.c_str(), nullptr, &value->type, nullptr, &size);
  // Again when another program has made it longer in between.
  while (status == ERROR_SUCCESS || status == ERROR_MORE_DATA) {
    value->data.resize(size);
    status = RegQueryValueExW(key, name.c_str(), nullptr, &value->type, value->data.data(), &size);
    if (status != ERROR_SUCCESS) continue;
    value->data.resize(size);
    break;
  }
  return static_cast<DWORD>(status);
}

}  // namespace

DWORD ReadRegistryValue(const std::wstring& key, const std::wstring& name, RegistryValue* value) {
  const RegistryKey opened(key, KEY_QUERY_VALUE);
  return opened.error() != ERROR_SUCCESS ? opened.error() : ReadFrom(opened.get(), name, value);
}

DWORD ReplaceRegistryValue(const std::wstring& key, const std::wstring& name,
                           const RegistryValue& expected, const RegistryValue& wanted) {
  const RegistryKey opened(key, KEY_QUERY_VALUE | KEY_SET_VALUE);
  if (opened.error() != ERROR_SUCCESS) return opened.error();
  RegistryValue present;
  const DWORD error = ReadFrom(opened.get(), name, &present);
  if (error != ERROR_SUCCESS) return error;
  if (present != expected) return ERROR_REVISION_MISMATCH;
  return static_cast<DWORD>(RegSetValueExW(opened.get(), name.c_str(), 0, wanted.type,
                                           wanted.data.data(),
                                           static_cast<DWORD>(wanted.data.size())));
}

DWORD ReadRegistryKeyTime(const std::wstring& key, FILETIME* time) {
  const RegistryKey opened(key, KEY_QUERY_VALUE);
  if (opened.error() != ERROR_SUCCESS) return opened.error();
  return static_cast<DWORD>(RegQueryInfoKeyW(opened.get(), nullptr, nullptr, nullptr, nullptr,
                                             nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
                                             time));
}

DWORD ListRegistrySubkeys(const std::wstring& key, std::vector<std::wstring>* names) {
  const RegistryKey opened(key, KEY_ENUMERATE_SUB_KEYS);
  if (opened.error() != ERROR_SUCCESS) return opened.error();
  for (DWORD i = 0;; ++i) {
    wchar_t name[256];  // the longest name has 255 characters
    DWORD size = 256;
    const LSTATUS status =
        RegEnumKeyExW(opened.get(), i, name, &size, nullptr, nullptr, nullptr, nullptr);
    if (status == ERROR_NO_MORE_ITEMS) return ERROR_SUCCESS;
    if (status != ERROR_SUCCESS) return static_cast<DWORD>(status);
    names->emplace_back(name, size);
  }
}

}  // namespace binding
