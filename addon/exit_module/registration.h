#ifndef CERTWIRE_EXIT_MODULE_REGISTRATION_H_
#define CERTWIRE_EXIT_MODULE_REGISTRATION_H_

#include <windows.h>

namespace exit_module {

/// DllRegisterServer: both classes, the event log source, and the directories below
/// %ProgramData%\Certwire with their rights. E_ACCESSDENIED when accounts other than administrators
/// can change the DLL, which the certification authority loads as SYSTEM.
HRESULT Register();

/// DllUnregisterServer: undoes Register, except for the directories, which hold the journal.
HRESULT Unregister();

}  // namespace exit_module

#endif  // CERTWIRE_EXIT_MODULE_REGISTRATION_H_
