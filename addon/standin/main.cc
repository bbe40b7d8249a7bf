// certsrv-standin.exe: plays the part of certsrv.exe for the exit module, see
// test/scenarios/README.md. Exit codes: 0 every call of the module returned S_OK, 1 one did not,
// 2 the run could not be set up, 3 an unhandled exception, 9 killed itself as asked.
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>

#include "ca_registry.h"
#include "exit_client.h"
#include "report.h"
#include "runner.h"
#include "scenario.h"
#include "server_exit.h"
#include "text.h"

namespace standin {
namespace {

using nlohmann::json;

constexpr int kNotAllOk = 1;
constexpr int kSetUpFailed = 2;
constexpr UINT kUnhandledException = 3;

const char kUsage[] =
    "usage: certsrv-standin --scenario FILE --result FILE --journal DIRECTORY\n"
    "                       [--prog-id NAME] [--kill-after CALLS] [--rounds COUNT]";

Report* crash_report = nullptr;

struct Options {
  std::wstring scenario;
  std::wstring result;
  std::wstring journal;
  std::wstring prog_id = L"Certwire.Exit";
  std::optional<size_t> kill_after;
  std::optional<size_t> rounds;
};

Options ParseOptions(int count, wchar_t** arguments) {
  Options options;
  const std::map<std::wstring, std::wstring*> texts = {{L"--scenario", &options.scenario},
                                                       {L"--result", &options.result},
                                                       {L"--journal", &options.journal},
                                                       {L"--prog-id", &options.prog_id}};
  const std::map<std::wstring, std::optional<size_t>*> numbers = {
      {L"--kill-after", &options.kill_after}, {L"--rounds", &options.rounds}};
  for (int i = 1; i + 1 < count; i += 2) {
    const std::wstring name = arguments[i];
    if (numbers.contains(name)) {
      *numbers.at(name) = std::stoul(arguments[i + 1]);
    } else if (texts.contains(name)) {
      *texts.at(name) = arguments[i + 1];
    } else {
      throw std::runtime_error(kUsage);
    }
  }
  if (options.scenario.empty() || options.result.empty() || options.journal.empty()) {
    throw std::runtime_error(kUsage);
  }
  return options;
}

/// What the module let escape: certsrv would log it and stay unstable, here it is the end.
LONG WINAPI ReportException(EXCEPTION_POINTERS* exception) {
  const EXCEPTION_RECORD& record = *exception->ExceptionRecord;
  crash_report->Write(
      {{"call", "exception"},
       {"code", HexResult(static_cast<HRESULT>(record.ExceptionCode))},
       {"address", std::to_string(reinterpret_cast<uintptr_t>(record.ExceptionAddress))},
       {"threadId", GetCurrentThreadId()}});
  TerminateProcess(GetCurrentProcess(), kUnhandledException);
  return EXCEPTION_EXECUTE_HANDLER;
}

json Summary(const Tally& tally) {
  json asked = json::object();
  for (const auto& [name, times] : tally.asked()) asked[Narrow(name)] = times;
  json violations = json::array();
  for (const std::wstring& what : tally.violations()) violations.push_back(Narrow(what));
  return {{"call", "end"},
          {"objects", tally.objects_made()},
          {"live", tally.objects_live()},
          {"asked", asked},
          {"violations", violations}};
}

void Check(HRESULT result, const char* what) {
  if (FAILED(result)) throw std::runtime_error(std::string(what) + ": " + HexResult(result));
}

int Run(const Options& options) {
  const Scenario scenario = ReadScenario(options.scenario);
  if (options.rounds && scenario.shutdown_after) {
    throw std::runtime_error("a scenario that is stopped in its midst has one round");
  }
  Report report(options.result);
  crash_report = &report;
  SetUnhandledExceptionFilter(ReportException);
  Check(CoInitializeEx(nullptr, scenario.main_apartment == Apartment::kSingle
                                    ? COINIT_APARTMENTTHREADED
                                    : COINIT_MULTITHREADED),
        "CoInitializeEx");
  WriteCaRegistry(scenario, options.prog_id, options.journal);
  DWORD registration = 0;
  if (scenario.register_class) {
    Check(CoRegisterClassObject(kClsidCertServerExit, ServerExitFactory(), CLSCTX_INPROC_SERVER,
                                REGCLS_MULTIPLEUSE, &registration),
          "CoRegisterClassObject");
  }
  ExitClient module;
  Check(module.Create(options.prog_id, scenario.late_bound), "creating the exit module");
  Tally tally;
  Runner runner(scenario, &module, &report, &tally);
  if (options.kill_after) runner.KillAfter(*options.kill_after);
  if (options.rounds) runner.Repeat(*options.rounds);
  if (SUCCEEDED(runner.Initialize())) runner.RunSteps();
  module.Release();
  if (scenario.register_class) CoRevokeClassObject(registration);
  CoUninitialize();
  report.Write(Summary(tally));
  return runner.all_ok() ? 0 : kNotAllOk;
}

}  // namespace
}  // namespace standin

int wmain(int count, wchar_t** arguments) {
  try {
    return standin::Run(standin::ParseOptions(count, arguments));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "certsrv-standin: %s\n", error.what());
    return standin::kSetUpFailed;
  }
}
