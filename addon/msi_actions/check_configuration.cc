#include <windows.h>

#include <string>
#include <string_view>
#include <vector>

#include "custom_action.h"
#include "service_environment.h"

namespace {

/// The length of the name of an entry `NAME=value`. Names of Windows itself begin with `=`.
size_t NameLength(std::wstring_view entry) { return entry.find(L'=', 1); }

bool HaveSameName(std::wstring_view left, std::wstring_view right) {
  const std::wstring_view a = left.substr(0, NameLength(left));
  const std::wstring_view b = right.substr(0, NameLength(right));
  return CompareStringOrdinal(a.data(), static_cast<int>(a.size()), b.data(),
                              static_cast<int>(b.size()), TRUE) == CSTR_EQUAL;
}

/// Calls `use` with each entry of a list whose entries have a terminator each.
template <typename Use>
void ForEachEntry(const wchar_t* entries, Use use) {
  while (*entries != L'\0') {
    const std::wstring_view entry(entries);
    use(entry);
    entries += entry.size() + 1;
  }
}

/// The environment that Windows starts the service with: that of this process, in which the
/// entries of the service come first.
std::wstring EnvironmentWith(const std::wstring& entries) {
  std::wstring block = entries;
  wchar_t* const own = GetEnvironmentStringsW();
  if (own == nullptr) return block;
  ForEachEntry(own, [&](std::wstring_view entry) {
    bool is_replaced = false;
    ForEachEntry(entries.c_str(),
                 [&](std::wstring_view other) { is_replaced |= HaveSameName(entry, other); });
    if (!is_replaced) block.append(entry).push_back(L'\0');
  });
  FreeEnvironmentStringsW(own);
  return block;
}

/// The file that takes everything, for a child process. Windows Installer may have no standard
/// handles, and a program that cannot write its output fails.
HANDLE OpenNull() {
  SECURITY_ATTRIBUTES inherited{sizeof(SECURITY_ATTRIBUTES), nullptr, TRUE};
  return CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                     &inherited, OPEN_EXISTING, 0, nullptr);
}

/// Starts a command line without a window, its standard handles being `null`. Returns a Windows
/// error.
DWORD Start(std::wstring& command_line, std::wstring& environment, HANDLE null,
            PROCESS_INFORMATION& process) {
  STARTUPINFOEXW startup{};
  startup.StartupInfo.cb = sizeof(startup);
  startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
  startup.StartupInfo.hStdInput = null;
  startup.StartupInfo.hStdOutput = null;
  startup.StartupInfo.hStdError = null;
  SIZE_T size = 0;
  InitializeProcThreadAttributeList(nullptr, 1, 0, &size);
  std::vector<char> attributes(size);
  startup.lpAttributeList = reinterpret_cast<LPPROC_THREAD_ATTRIBUTE_LIST>(attributes.data());
  if (!InitializeProcThreadAttributeList(startup.lpAttributeList, 1, 0, &size))
    return GetLastError();
  // No other handle of Windows Installer is inherited.
  const bool is_started =
      UpdateProcThreadAttribute(startup.lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST,
                                &null, sizeof(null), nullptr, nullptr) &&
      CreateProcessW(nullptr, command_line.data(), nullptr, nullptr, TRUE,
                     CREATE_NO_WINDOW | CREATE_UNICODE_ENVIRONMENT | EXTENDED_STARTUPINFO_PRESENT,
                     environment.data(), nullptr, &startup.StartupInfo, &process);
  const DWORD error = is_started ? ERROR_SUCCESS : GetLastError();
  DeleteProcThreadAttributeList(startup.lpAttributeList);
  return error;
}

/// Runs a command line without a window until it ends. Returns a Windows error.
DWORD Run(std::wstring command_line, std::wstring environment, DWORD& exit_code) {
  const HANDLE null = OpenNull();
  if (null == INVALID_HANDLE_VALUE) return GetLastError();
  PROCESS_INFORMATION process{};
  DWORD error = Start(command_line, environment, null, process);
  CloseHandle(null);
  if (error != ERROR_SUCCESS) return error;
  WaitForSingleObject(process.hProcess, INFINITE);
  error = GetExitCodeProcess(process.hProcess, &exit_code) ? ERROR_SUCCESS : GetLastError();
  CloseHandle(process.hThread);
  CloseHandle(process.hProcess);
  return error;
}

}  // namespace

/// Deferred custom action, before the service starts: runs the command line of CustomActionData,
/// which checks the configuration, with the environment of the service, which may hold its secrets.
/// Fails if the command does.
extern "C" UINT __stdcall CheckConfiguration(MSIHANDLE installation) {
  std::wstring entries;
  const LSTATUS status = msi_actions::ReadEnvironment(entries);
  DWORD exit_code = 0;
  const DWORD error = status != ERROR_SUCCESS ? static_cast<DWORD>(status)
                                              : Run(msi_actions::CustomActionData(installation),
                                                    EnvironmentWith(entries), exit_code);
  if (error == ERROR_SUCCESS && exit_code == 0) return ERROR_SUCCESS;
  msi_actions::Log(installation, error == ERROR_SUCCESS
                                     ? L"certwire check ended with " + std::to_wstring(exit_code)
                                     : L"certwire check cannot be started: Windows error " +
                                           std::to_wstring(error));
  return ERROR_INSTALL_FAILURE;
}
