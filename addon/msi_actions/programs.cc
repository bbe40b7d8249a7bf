#include <windows.h>

#include <string>

#include "custom_action.h"

namespace {

constexpr const wchar_t* kPrograms[] = {L"certwire-service.exe", L"node.exe"};
constexpr ULONGLONG kLongestWaitMs = 10'000;
constexpr DWORD kPauseMs = 50;

/// True while a process runs the file: Windows lets nobody write to it.
bool IsRunning(const std::wstring& path) {
  const HANDLE file = CreateFileW(path.c_str(), GENERIC_WRITE,
                                  FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
                                  OPEN_EXISTING, 0, nullptr);
  if (file == INVALID_HANDLE_VALUE) return GetLastError() == ERROR_SHARING_VIOLATION;
  CloseHandle(file);
  return false;
}

}  // namespace

/// Deferred custom action, between the stop of the service and the removal of its files: waits up
/// to 10 s until its programs, in the directory of CustomActionData, have ended. A service is
/// stopped before its process is gone, and a file in use would be removed only when Windows starts
/// the next time.
extern "C" UINT __stdcall WaitForPrograms(MSIHANDLE installation) {
  const std::wstring directory = msi_actions::CustomActionData(installation);
  const ULONGLONG end = GetTickCount64() + kLongestWaitMs;
  for (const wchar_t* program : kPrograms) {
    while (IsRunning(directory + program) && GetTickCount64() < end) Sleep(kPauseMs);
  }
  return ERROR_SUCCESS;
}
