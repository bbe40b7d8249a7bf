#ifndef CERTWIRE_EXIT_MODULE_TEST_DIRECTORY_RIGHTS_H_
#define CERTWIRE_EXIT_MODULE_TEST_DIRECTORY_RIGHTS_H_

#include <windows.h>

#include <string>

/// Rights as Wine has them: it keeps no access list, but shows the mode of the file as one, with an
/// entry for the owner and one for everybody.
namespace exit_module_test {

/// True when the owner is the group of administrators or the account of this process.
bool IsOwnedByAdministrators(const std::wstring& path);
/// All rights that the access list gives to everybody.
DWORD RightsOfEveryone(const std::wstring& path);
/// Leaves rights to SYSTEM and Administrators only.
void CloseToOthers(const std::wstring& path);
/// Gives everybody all rights.
void OpenToEveryone(const std::wstring& path);

}  // namespace exit_module_test

#endif  // CERTWIRE_EXIT_MODULE_TEST_DIRECTORY_RIGHTS_H_
