#ifndef CERTWIRE_NODE_WINDOWS_REGISTRY_H_
#define CERTWIRE_NODE_WINDOWS_REGISTRY_H_

#include <windows.h>

#include <cstdint>
#include <string>
#include <vector>

namespace binding {

/// A value of the registry as it is stored. Texts are UTF-16, with their terminating zeros if the
/// program that wrote them gave any.
struct RegistryValue {
  DWORD type = REG_NONE;
  std::vector<uint8_t> data;

  bool operator==(const RegistryValue&) const = default;
};

/// Reads a value of a key of HKEY_LOCAL_MACHINE, in the 64-bit view; null or empty name: the
/// default value. Returns a Windows error, ERROR_FILE_NOT_FOUND if the key or the value is missing.
DWORD ReadRegistryValue(const std::wstring& key, const std::wstring& name, RegistryValue* value);

/// Replaces a value that still is `expected`; ERROR_REVISION_MISMATCH if it is another one by now.
/// Reads and writes under one handle, so nobody can put another key in its place in between.
DWORD ReplaceRegistryValue(const std::wstring& key, const std::wstring& name,
                           const RegistryValue& expected, const RegistryValue& wanted);

/// When a key of HKEY_LOCAL_MACHINE, a value of it, or the list of its subkeys was changed last.
/// Returns a Windows error.
DWORD ReadRegistryKeyTime(const std::wstring& key, FILETIME* time);

/// Names of the subkeys of a key of HKEY_LOCAL_MACHINE. Returns a Windows error.
DWORD ListRegistrySubkeys(const std::wstring& key, std::vector<std::wstring>* names);

}  // namespace binding

#endif  // CERTWIRE_NODE_WINDOWS_REGISTRY_H_
