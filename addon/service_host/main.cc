// certwire-service.exe: runs the Certwire service, that is node.exe with the service's JavaScript,
// as a Windows service. Exit codes: 0 done, 1 failed, 2 the command line is wrong; of --console see
// RunInConsole.
#include <windows.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "command_line.h"
#include "options.h"
#include "service_control.h"
#include "service_main.h"
#include "text.h"
#include "version.h"

namespace service_host {
namespace {

constexpr int kFailed = 1;
constexpr int kUsageError = 2;

std::wstring ProgramPath() {
  std::wstring path(32768, L'\0');
  path.resize(GetModuleFileNameW(nullptr, path.data(), static_cast<DWORD>(path.size())));
  return path;
}

std::wstring DataDirectory() {
  std::wstring path(32768, L'\0');
  const DWORD used = ExpandEnvironmentStringsW(L"%ProgramData%\\Certwire", path.data(),
                                               static_cast<DWORD>(path.size()));
  path.resize(used == 0 ? 0 : used - 1);
  return path;
}

std::wstring FullPath(const std::wstring& path) {
  std::wstring full(32768, L'\0');
  full.resize(
      GetFullPathNameW(path.c_str(), static_cast<DWORD>(full.size()), full.data(), nullptr));
  return full;
}

/// A service starts in another directory, and so does its program.
void MakePathsFull(Options* options) {
  for (auto member : {&Options::node, &Options::program, &Options::config, &Options::log_directory})
    options->*member = FullPath(options->*member);
  for (size_t at = 0; at + 1 < options->settings.size(); at += 2) {
    std::wstring& value = options->settings[at + 1];
    if (IsPathOption(options->settings[at])) value = FullPath(value);
  }
}

bool Exists(const std::wstring& path) {
  if (GetFileAttributesW(path.c_str()) != INVALID_FILE_ATTRIBUTES) return true;
  std::fprintf(stderr, "certwire-service: %s does not exist\n", Utf8(path).c_str());
  return false;
}

int Install(const Options& options) {
  if (!Exists(options.node) || !Exists(options.program)) return kFailed;
  std::vector<std::wstring> arguments = {ProgramPath(), L"--service"};
  arguments.insert(arguments.end(), options.settings.begin(), options.settings.end());
  // The one of the commands, whatever %ProgramData% is for the service.
  if (std::find(arguments.begin(), arguments.end(), L"--config") == arguments.end()) {
    arguments.insert(arguments.end(), {L"--config", options.config});
  }
  const bool is_done =
      InstallService(CommandLine(arguments)) && ConfigureService(options.stop_seconds);
  return is_done ? 0 : kFailed;
}

int Run(const Options& options) {
  switch (options.mode) {
    case Mode::kHelp:
      std::fputs(Utf8(kUsage).c_str(), stdout);
      return 0;
    case Mode::kVersion:
      std::puts(CERTWIRE_VERSION_TEXT);
      return 0;
    case Mode::kService:
      return RunAsService(options);
    case Mode::kConsole:
      return RunInConsole(options);
    case Mode::kInstall:
      return Install(options);
    case Mode::kConfigure:
      return ConfigureService(options.stop_seconds) ? 0 : kFailed;
  }
  return kUsageError;
}

int Main(int count, wchar_t** arguments) {
  const std::wstring program = ProgramPath();
  Options options = ParseOptions({arguments + 1, arguments + count},
                                 {program.substr(0, program.find_last_of(L'\\')), DataDirectory()});
  MakePathsFull(&options);
  // A service is started by nobody who would read standard error: it says what is wrong itself.
  if (!options.error.empty() && options.mode != Mode::kService) {
    std::fprintf(stderr, "certwire-service: %s\n\n%s", Utf8(options.error).c_str(),
                 Utf8(kUsage).c_str());
    return kUsageError;
  }
  return Run(options);
}

}  // namespace
}  // namespace service_host

int wmain(int count, wchar_t** arguments) { return service_host::Main(count, arguments); }
