#include "registration.h"

#include <string>

#include "access.h"
#include "com.h"
#include "event_log/event_log.h"
#include "manage_module.h"
#include "settings.h"

namespace exit_module {
namespace {

constexpr wchar_t kClasses[] = L"SOFTWARE\\Classes\\";
constexpr wchar_t kEventSources[] = L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\";

struct ComClass {
  const CLSID& clsid;
  const wchar_t* prog_id;
  const wchar_t* description;
};

const ComClass kComClasses[] = {
    {kClsidExit, kExitProgId, L"Certwire exit module"},
    {kClsidExitManage, kManageProgId, L"Certwire exit module management"},
};

/// Writes values until the first failure, which it keeps.
class RegistryWriter {
 public:
  void Text(const std::wstring& key, const wchar_t* name, const std::wstring& text) {
    Set(key, name, REG_SZ, text.c_str(), (text.size() + 1) * sizeof(wchar_t));
  }
  void Number(const std::wstring& key, const wchar_t* name, DWORD number) {
    Set(key, name, REG_DWORD, &number, sizeof number);
  }
  HRESULT result() const { return HRESULT_FROM_WIN32(static_cast<DWORD>(status_)); }

 private:
  void Set(const std::wstring& key, const wchar_t* name, DWORD type, const void* data,
           size_t size) {
    if (status_ != ERROR_SUCCESS) return;
    status_ = RegSetKeyValueW(HKEY_LOCAL_MACHINE, key.c_str(), name, type, data,
                              static_cast<DWORD>(size));
  }

  LSTATUS status_ = ERROR_SUCCESS;
};

std::wstring ClsidText(const CLSID& clsid) {
  wchar_t text[40];
  StringFromGUID2(clsid, text, static_cast<int>(std::size(text)));
  return text;
}

std::wstring ProgIdKey(const ComClass& com_class) {
  return std::wstring(kClasses) + com_class.prog_id;
}

std::wstring ClsidKey(const ComClass& com_class) {
  return std::wstring(kClasses) + L"CLSID\\" + ClsidText(com_class.clsid);
}

std::wstring EventSourceKey() { return std::wstring(kEventSources) + event_log::kEventSource; }

/// Full path of this DLL; empty when it cannot be had.
std::wstring DllPath() {
  HMODULE handle = nullptr;
  GetModuleHandleExW(
      GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
      reinterpret_cast<const wchar_t*>(&kComClasses), &handle);
  std::wstring path(32768, L'\0');
  path.resize(GetModuleFileNameW(handle, path.data(), static_cast<DWORD>(path.size())));
  return path;
}

void WriteClass(const ComClass& com_class, const std::wstring& dll, RegistryWriter* registry) {
  const std::wstring prog_id = ProgIdKey(com_class);
  const std::wstring clsid = ClsidKey(com_class);
  registry->Text(prog_id, nullptr, com_class.description);
  registry->Text(prog_id + L"\\CLSID", nullptr, ClsidText(com_class.clsid));
  registry->Text(clsid, nullptr, com_class.description);
  registry->Text(clsid + L"\\ProgID", nullptr, com_class.prog_id);
  registry->Text(clsid + L"\\VersionIndependentProgID", nullptr, com_class.prog_id);
  registry->Text(clsid + L"\\InprocServer32", nullptr, dll);
  registry->Text(clsid + L"\\InprocServer32", L"ThreadingModel", L"Both");
}

void WriteEventSource(const std::wstring& dll, RegistryWriter* registry) {
  const std::wstring key = EventSourceKey();
  registry->Text(key, L"EventMessageFile", dll);
  registry->Number(key, L"TypesSupported",
                   EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE | EVENTLOG_INFORMATION_TYPE);
}

HRESULT MakeDirectories() {
  const std::wstring base = BaseDirectory();
  const struct {
    std::wstring path;
    const wchar_t* rights;
  } directories[] = {
      {base, kBaseRights},
      {base + L"\\journal", kJournalRights},
      {base + L"\\state", kStateRights},
      {base + L"\\config", kConfigRights},
  };
  for (const auto& directory : directories) {
    const DWORD error = SecureDirectory(directory.path, directory.rights);
    if (error != ERROR_SUCCESS) return HRESULT_FROM_WIN32(error);
  }
  return S_OK;
}

/// A text value of HKLM; empty when it cannot be read.
std::wstring ReadValue(const std::wstring& key, const wchar_t* name) {
  wchar_t text[32768];
  DWORD bytes = sizeof text;
  const LSTATUS status =
      RegGetValueW(HKEY_LOCAL_MACHINE, key.c_str(), name, RRF_RT_REG_SZ, nullptr, text, &bytes);
  return status == ERROR_SUCCESS ? text : L"";
}

/// True unless the value names another file: then it is the registration of another copy.
bool IsOurs(const std::wstring& key, const wchar_t* name, const std::wstring& dll) {
  const std::wstring registered = ReadValue(key, name);
  return registered.empty() ||
         CompareStringOrdinal(registered.c_str(), -1, dll.c_str(), -1, TRUE) == CSTR_EQUAL;
}

HRESULT DeleteTree(const std::wstring& key) {
  const LSTATUS status = RegDeleteTreeW(HKEY_LOCAL_MACHINE, key.c_str());
  return status == ERROR_FILE_NOT_FOUND ? S_OK : HRESULT_FROM_WIN32(static_cast<DWORD>(status));
}

}  // namespace

HRESULT Register() {
  const std::wstring dll = DllPath();
  if (dll.empty()) return E_UNEXPECTED;
  if (IsWritableByOthers(dll)) return E_ACCESSDENIED;
  const HRESULT made = MakeDirectories();
  if (FAILED(made)) return made;
  RegistryWriter registry;
  for (const ComClass& com_class : kComClasses) WriteClass(com_class, dll, &registry);
  WriteEventSource(dll, &registry);
  return registry.result();
}

HRESULT Unregister() {
  const std::wstring dll = DllPath();
  if (dll.empty()) return E_UNEXPECTED;
  HRESULT result = S_OK;
  const auto remove = [&](const std::wstring& key) {
    const HRESULT deleted = DeleteTree(key);
    if (SUCCEEDED(result)) result = deleted;
  };
  if (IsOurs(EventSourceKey(), L"EventMessageFile", dll)) remove(EventSourceKey());
  for (const ComClass& com_class : kComClasses) {
    if (!IsOurs(ClsidKey(com_class) + L"\\InprocServer32", nullptr, dll)) continue;
    remove(ProgIdKey(com_class));
    remove(ClsidKey(com_class));
  }
  return result;
}

}  // namespace exit_module
