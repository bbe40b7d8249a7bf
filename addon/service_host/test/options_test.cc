#include "../options.h"

#include <doctest/doctest.h>

#include "../backoff.h"
#include "../command_line.h"

namespace service_host {
namespace {

const Places kPlaces = {L"C:\\Program Files\\Certwire", L"C:\\ProgramData\\Certwire"};

/// The rules of CommandLineToArgvW and of the C runtime for a line in which every argument is
/// quoted.
std::vector<std::wstring> Split(const std::wstring& line) {
  std::vector<std::wstring> arguments;
  bool is_quoted = false;
  bool has_argument = false;
  std::wstring argument;
  for (size_t at = 0; at < line.size(); ++at) {
    size_t backslashes = 0;
    while (at < line.size() && line[at] == L'\\') ++backslashes, ++at;
    const bool before_quote = at < line.size() && line[at] == L'"';
    argument.append(before_quote ? backslashes / 2 : backslashes, L'\\');
    if (at == line.size()) break;
    if (before_quote && backslashes % 2 == 0) {
      is_quoted = !is_quoted;
      has_argument = true;
    } else if (line[at] == L' ' && !is_quoted) {
      if (has_argument) arguments.push_back(argument);
      argument.clear();
      has_argument = false;
    } else {
      argument.push_back(line[at]);
      has_argument = true;
    }
  }
  if (has_argument) arguments.push_back(argument);
  return arguments;
}

TEST_CASE("a command line is split into the arguments that it was made of") {
  const std::vector<std::wstring> arguments = {
      L"C:\\Program Files\\Certwire\\node.exe",
      L"",
      L"plain",
      L"two words",
      L"ends in a backslash\\",
      L"ends in two\\\\",
      L"a \"quote\"",
      L"\\\"",
      L"\\\\\"\\",
      L"a\\b c\\d",
      L"\u0421\u0435\u0440\u0442\u0438\u0444\u0438\u043A\u0430\u0442",
      L"tab\tand\nline",
      L"%PATH% & | < > ^",
  };
  CHECK(Split(CommandLine(arguments)) == arguments);
}

TEST_CASE("paths have defaults beside the program and in its data directory") {
  const Options options = ParseOptions({L"--service"}, kPlaces);
  CHECK(options.error.empty());
  CHECK(options.mode == Mode::kService);
  CHECK(NodeArguments(options) ==
        std::vector<std::wstring>{L"C:\\Program Files\\Certwire\\node.exe",
                                  L"C:\\Program Files\\Certwire\\app\\certwire.mjs", L"run",
                                  L"--config", L"C:\\ProgramData\\Certwire\\config\\certwire.jsonc",
                                  L"--stop-on-stdin-end"});
  CHECK(options.log_directory == L"C:\\ProgramData\\Certwire\\state\\log");
  CHECK(options.log_megabytes == 10);
  CHECK(options.log_files == 10);
  CHECK(options.stop_seconds == 20);
}

TEST_CASE("options are read, and kept as they were given") {
  const std::vector<std::wstring> settings = {L"--node",          L"N",    L"--program",       L"P",
                                              L"--config",        L"C",    L"--log-directory", L"L",
                                              L"--log-megabytes", L"1024", L"--log-files",     L"1",
                                              L"--stop-seconds",  L"600"};
  std::vector<std::wstring> arguments = {L"--install"};
  arguments.insert(arguments.end(), settings.begin(), settings.end());
  const Options options = ParseOptions(arguments, kPlaces);
  CHECK(options.error.empty());
  CHECK(options.mode == Mode::kInstall);
  CHECK(options.node == L"N");
  CHECK(options.program == L"P");
  CHECK(options.config == L"C");
  CHECK(options.log_directory == L"L");
  CHECK(options.log_megabytes == 1024);
  CHECK(options.log_files == 1);
  CHECK(options.stop_seconds == 600);
  CHECK(options.settings == settings);
}

TEST_CASE("a command line that is wrong is refused with the reason") {
  const auto error = [](const std::vector<std::wstring>& arguments) {
    return ParseOptions(arguments, kPlaces).error;
  };
  CHECK(error({}) == L"say what to do");
  CHECK(error({L"--remove"}) == L"unknown option --remove");
  CHECK(error({L"--service", L"--nod", L"x"}) == L"unknown option --nod");
  CHECK(error({L"--service", L"--nod"}) == L"unknown option --nod");
  CHECK(error({L"--service", L"--node"}) == L"--node needs a value");
  CHECK(error({L"--service", L"--node", L""}) == L"--node must not be empty");
  for (const wchar_t* number : {L"0", L"601", L"-1", L"20s", L"", L"99999999999999999999"}) {
    CHECK(error({L"--service", L"--stop-seconds", number}) ==
          L"--stop-seconds must be a number from 1 to 600");
  }
}

TEST_CASE("waits double up to a minute, and are short again after a run of a minute") {
  Backoff backoff;
  constexpr uint64_t kWaits[] = {1'000, 2'000, 4'000, 8'000, 16'000, 32'000, 60'000, 60'000};
  for (const uint64_t expected : kWaits) {
    CHECK(backoff.NextMs(59'999) == expected);
  }
  CHECK(backoff.NextMs(60'000) == 1'000);
  CHECK(backoff.NextMs(0) == 2'000);
}

}  // namespace
}  // namespace service_host
