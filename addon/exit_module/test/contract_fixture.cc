#include "contract_fixture.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "collect/exit_event.h"
#include "server_exit.h"
#include "support/journal_tools.h"
#include "support/wait.h"
#include "text.h"

namespace exit_module_test {
namespace {

constexpr wchar_t kSettings[] =
    L"SYSTEM\\CurrentControlSet\\Services\\CertSvc\\Configuration\\Contract CA\\ExitModules\\"
    L"Certwire.Exit";

constexpr LONG kDispositionIssued = 20;  // DB_DISP_ISSUED

std::wstring journal_directory;
DWORD fake_registration = 0;

}  // namespace

std::wstring DllPath() {
  std::wstring path(MAX_PATH, L'\0');
  path.resize(GetModuleFileNameW(nullptr, path.data(), MAX_PATH));
  return path.substr(0, path.find_last_of(L'\\')) + L"\\certwire-exit.dll";
}

DWORD RunRegsvr32(const std::wstring& arguments) { return RunRegsvr32(arguments, DllPath()); }

DWORD RunRegsvr32(const std::wstring& arguments, const std::wstring& dll) {
  std::wstring command = L"regsvr32.exe " + arguments + L" \"" + dll + L"\"";
  STARTUPINFOW startup = {};
  startup.cb = sizeof startup;
  PROCESS_INFORMATION process;
  REQUIRE(CreateProcessW(nullptr, command.data(), nullptr, nullptr, FALSE, 0, nullptr, nullptr,
                         &startup, &process));
  WaitForSingleObject(process.hProcess, INFINITE);
  DWORD code = 0;
  GetExitCodeProcess(process.hProcess, &code);
  CloseHandle(process.hThread);
  CloseHandle(process.hProcess);
  return code;
}

std::wstring RegistryText(const std::wstring& key, const wchar_t* name) {
  wchar_t text[1024] = {};
  DWORD size = sizeof text;
  RegGetValueW(HKEY_LOCAL_MACHINE, key.c_str(), name, RRF_RT_REG_SZ, nullptr, text, &size);
  return text;
}

bool RegistryKeyExists(const std::wstring& key) {
  HKEY handle = nullptr;
  if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, key.c_str(), 0, KEY_READ, &handle) != 0) return false;
  RegCloseKey(handle);
  return true;
}

void UseFreshJournal() {
  wchar_t temp[MAX_PATH];
  GetTempPathW(MAX_PATH, temp);
  journal_directory = std::wstring(temp) + L"certwire-contract";
  // An earlier run could not remove it: the module keeps its files open until the process ends.
  std::filesystem::remove_all(journal_directory);
  REQUIRE(CreateDirectoryW(journal_directory.c_str(), nullptr));
  const auto size = static_cast<DWORD>((journal_directory.size() + 1) * sizeof(wchar_t));
  REQUIRE(RegSetKeyValueW(HKEY_LOCAL_MACHINE, kSettings, L"JournalDirectory", REG_SZ,
                          journal_directory.c_str(), size) == ERROR_SUCCESS);
}

std::vector<std::string> JournalEvents() {
  return test::EventTexts(test::ReadDirectory(standin::Narrow(journal_directory)));
}

std::vector<std::string> WaitForEvents(size_t count) {
  std::vector<std::string> events;
  test::WaitUntil([&] {
    events = JournalEvents();
    return events.size() >= count;
  });
  return events;
}

bool Contains(const std::string& payload, std::string_view text) {
  return payload.find(text) != std::string::npos;
}

void RegisterFake() {
  REQUIRE(CoRegisterClassObject(kClsidCertServerExit, standin::ServerExitFactory(),
                                CLSCTX_INPROC_SERVER, REGCLS_MULTIPLEUSE,
                                &fake_registration) == S_OK);
}

void RevokeFake() { REQUIRE(CoRevokeClassObject(fake_registration) == S_OK); }

standin::Step IssuedStep(LONG id) {
  const auto number = [](LONG value) {
    standin::Value made;
    made.kind = standin::ValueKind::kLong;
    made.number = value;
    return made;
  };
  standin::Value caller;
  caller.kind = standin::ValueKind::kText;
  const std::wstring name = L"caller-" + std::to_wstring(id) + L";";
  caller.bytes = std::make_shared<const std::string>(reinterpret_cast<const char*>(name.data()),
                                                     name.size() * sizeof(wchar_t));
  standin::Step step;
  step.event = 1;
  step.context = id;
  step.request.emplace(L"RequestID", number(id));
  step.request.emplace(L"Disposition", number(kDispositionIssued));
  step.request.emplace(L"CallerName", caller);
  return step;
}

}  // namespace exit_module_test
