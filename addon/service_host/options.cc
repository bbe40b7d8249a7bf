#include "options.h"

#include <cstddef>

namespace service_host {
namespace {

struct ModeName {
  const wchar_t* name;
  Mode mode;
};

constexpr ModeName kModes[] = {
    {L"--help", Mode::kHelp},       {L"--version", Mode::kVersion},
    {L"--service", Mode::kService}, {L"--console", Mode::kConsole},
    {L"--install", Mode::kInstall}, {L"--configure", Mode::kConfigure},
};

struct TextOption {
  const wchar_t* name;
  std::wstring Options::* member;
};

constexpr TextOption kTexts[] = {
    {L"--node", &Options::node},
    {L"--program", &Options::program},
    {L"--config", &Options::config},
    {L"--log-directory", &Options::log_directory},
};

struct NumberOption {
  const wchar_t* name;
  uint32_t Options::* member;
  uint32_t most;
};

constexpr NumberOption kNumbers[] = {
    {L"--log-megabytes", &Options::log_megabytes, 1024},
    {L"--log-files", &Options::log_files, 1000},
    {L"--stop-seconds", &Options::stop_seconds, 600},
};

/// 0 unless the text is a whole number from 1 to `most`.
uint32_t ParseNumber(const std::wstring& text, uint32_t most) {
  uint32_t number = 0;
  for (const wchar_t c : text) {
    if (c < L'0' || c > L'9' || number > most) return 0;
    number = number * 10 + static_cast<uint32_t>(c - L'0');
  }
  return number > most ? 0 : number;
}

bool ParseMode(const std::wstring& name, Options* options) {
  for (const ModeName& mode : kModes) {
    if (name != mode.name) continue;
    options->mode = mode.mode;
    return true;
  }
  return false;
}

/// False if no option has this name.
bool ParseOption(const std::wstring& name, const std::wstring& value, Options* options) {
  for (const TextOption& text : kTexts) {
    if (name != text.name) continue;
    if (value.empty()) options->error = name + L" must not be empty";
    options->*text.member = value;
    return true;
  }
  for (const NumberOption& number : kNumbers) {
    if (name != number.name) continue;
    options->*number.member = ParseNumber(value, number.most);
    if (options->*number.member == 0) {
      options->error = name + L" must be a number from 1 to " + std::to_wstring(number.most);
    }
    return true;
  }
  return false;
}

void SetPlaces(const Places& places, Options* options) {
  options->node = places.program_directory + L"\\node.exe";
  options->program = places.program_directory + L"\\app\\certwire.mjs";
  options->config = places.data_directory + L"\\config\\certwire.jsonc";
  options->log_directory = places.data_directory + L"\\state\\log";
}

}  // namespace

Options ParseOptions(const std::vector<std::wstring>& arguments, const Places& places) {
  Options options;
  SetPlaces(places, &options);
  if (arguments.empty() || !ParseMode(arguments[0], &options)) {
    options.error = arguments.empty() ? L"say what to do" : L"unknown option " + arguments[0];
    return options;
  }
  for (size_t at = 1; at < arguments.size() && options.error.empty(); at += 2) {
    const std::wstring& name = arguments[at];
    const bool has_value = at + 1 < arguments.size();
    if (!ParseOption(name, has_value ? arguments[at + 1] : L"1", &options)) {
      options.error = L"unknown option " + name;
    } else if (!has_value) {
      options.error = name + L" needs a value";
    }
  }
  options.settings.assign(arguments.begin() + 1, arguments.end());
  return options;
}

std::vector<std::wstring> NodeArguments(const Options& options) {
  return {options.node, options.program, L"run",
          L"--config",  options.config,  L"--stop-on-stdin-end"};
}

bool IsPathOption(const std::wstring& name) {
  for (const TextOption& text : kTexts) {
    if (name == text.name) return true;
  }
  return false;
}

const wchar_t kUsage[] =
    L"certwire-service.exe runs the Certwire service with node.exe.\n"
    L"\n"
    L"  --install      create the Windows service Certwire, or let it run this program with these\n"
    L"                 options; then do what --configure does\n"
    L"  --configure    set delayed start, restart after a crash, SID type and time for a shutdown\n"
    L"                 of the service Certwire\n"
    L"  --console      run in this console, log to it; Ctrl-C stops\n"
    L"  --service      run as the Windows service; for the service control manager only\n"
    L"  --version, --help\n"
    L"\n"
    L"Options, after one of these:\n"
    L"  --node FILE           default: node.exe beside this program\n"
    L"  --program FILE        the JavaScript of the service; default: app\\certwire.mjs beside "
    L"this\n"
    L"                        program\n"
    L"  --config FILE         default: %ProgramData%\\Certwire\\config\\certwire.jsonc\n"
    L"  --log-directory DIR   default: %ProgramData%\\Certwire\\state\\log\n"
    L"  --log-megabytes N     size of a log file, 1 to 1024, default 10\n"
    L"  --log-files N         how many are kept, 1 to 1000, default 10\n"
    L"  --stop-seconds N      how long a stop may take before the program is terminated, 1 to "
    L"600,\n"
    L"                        default 20\n";

}  // namespace service_host
