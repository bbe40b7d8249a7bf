#ifndef CERTWIRE_EXIT_MODULE_TEST_CONTRACT_FIXTURE_H_
#define CERTWIRE_EXIT_MODULE_TEST_CONTRACT_FIXTURE_H_

#include <string>
#include <vector>

#include "guids.h"
#include "scenario.h"

/// The tests run in one process and in the order of the file, as one life of a CA: certsrv too
/// loads the module once.
namespace exit_module_test {

inline constexpr wchar_t kProgId[] = L"Certwire.Exit";
inline constexpr wchar_t kCaName[] = L"Contract CA";

/// Runs regsvr32 with `arguments` and the path of the DLL beside this program; its exit code.
DWORD RunRegsvr32(const std::wstring& arguments);
/// The same with the path of another DLL.
DWORD RunRegsvr32(const std::wstring& arguments, const std::wstring& dll);
/// Full path of the DLL.
std::wstring DllPath();

/// Text of a value of HKLM; empty when it is missing.
std::wstring RegistryText(const std::wstring& key, const wchar_t* name);
bool RegistryKeyExists(const std::wstring& key);

/// Points the settings of the CA to a new journal directory, empty and made by the test.
void UseFreshJournal();
/// Payloads of all events in that journal.
std::vector<std::string> JournalEvents();
/// The same as soon as there are `count` of them, or after some seconds whatever there is.
std::vector<std::string> WaitForEvents(size_t count);
bool Contains(const std::string& payload, std::string_view text);

/// Registers the fake CCertServerExit for the process, and takes it back.
void RegisterFake();
void RevokeFake();

/// A step of a fake CA: a certificate was issued for request `id`, in context `id`.
standin::Step IssuedStep(LONG id);

}  // namespace exit_module_test

#endif  // CERTWIRE_EXIT_MODULE_TEST_CONTRACT_FIXTURE_H_
