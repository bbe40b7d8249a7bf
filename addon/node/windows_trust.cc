#include "windows_trust.h"

// wintrust.h needs wincrypt.h, which WIN32_LEAN_AND_MEAN leaves out.
#include <softpub.h>
#include <wincrypt.h>
#include <wintrust.h>

namespace binding {

LONG VerifySignature(const std::wstring& path) {
  WINTRUST_FILE_INFO file = {};
  file.cbStruct = sizeof file;
  file.pcwszFilePath = path.c_str();
  WINTRUST_DATA data = {};
  data.cbStruct = sizeof data;
  data.dwUIChoice = WTD_UI_NONE;
  data.fdwRevocationChecks = WTD_REVOKE_NONE;
  data.dwUnionChoice = WTD_CHOICE_FILE;
  data.pFile = &file;
  data.dwStateAction = WTD_STATEACTION_VERIFY;
  data.dwProvFlags = WTD_CACHE_ONLY_URL_RETRIEVAL;
  GUID action = WINTRUST_ACTION_GENERIC_VERIFY_V2;
  // A handle in place of a window means that there is nobody to ask.
  const HWND nobody = static_cast<HWND>(INVALID_HANDLE_VALUE);
  const LONG answer = WinVerifyTrust(nobody, &action, &data);
  data.dwStateAction = WTD_STATEACTION_CLOSE;
  WinVerifyTrust(nobody, &action, &data);
  return answer;
}

}  // namespace binding
