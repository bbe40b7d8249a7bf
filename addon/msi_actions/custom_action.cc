#include "custom_action.h"

#include <msiquery.h>

namespace msi_actions {

std::wstring CustomActionData(MSIHANDLE installation) {
  wchar_t none[1] = L"";
  DWORD length = 0;
  if (MsiGetPropertyW(installation, L"CustomActionData", none, &length) != ERROR_MORE_DATA)
    return {};
  // With room for the terminator.
  std::wstring text(++length, L'\0');
  if (MsiGetPropertyW(installation, L"CustomActionData", text.data(), &length) != ERROR_SUCCESS)
    return {};
  text.resize(length);
  return text;
}

void Log(MSIHANDLE installation, const std::wstring& line) {
  const MSIHANDLE record = MsiCreateRecord(1);
  if (record == 0) return;
  // The text is a field, not the format: brackets in it stay as they are.
  MsiRecordSetStringW(record, 0, L"Certwire: [1]");
  MsiRecordSetStringW(record, 1, line.c_str());
  MsiProcessMessage(installation, INSTALLMESSAGE_INFO, record);
  MsiCloseHandle(record);
}

}  // namespace msi_actions
