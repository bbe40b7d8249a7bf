#ifndef CERTWIRE_SERVICE_HOST_OPTIONS_H_
#define CERTWIRE_SERVICE_HOST_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace service_host {

/// What certwire-service.exe is asked to do.
enum class Mode { kHelp, kVersion, kService, kConsole, kInstall, kConfigure };

/// The command line of certwire-service.exe.
struct Options {
  Mode mode = Mode::kHelp;
  std::wstring node;                   ///< node.exe
  std::wstring program;                ///< the JavaScript file that node.exe runs
  std::wstring config;                 ///< the service's configuration
  std::wstring log_directory;          ///< for the log files
  uint32_t log_megabytes = 10;         ///< size of one log file, 1 to 1024
  uint32_t log_files = 10;             ///< how many are kept, 1 to 1000
  uint32_t stop_seconds = 20;          ///< from a stop to the end by force, 1 to 600
  std::vector<std::wstring> settings;  ///< the options after the mode, as they were given
  std::wstring error;                  ///< what is wrong with the command line; empty if nothing is
};

/// Where things are when the command line does not say so; without a backslash at the end.
struct Places {
  std::wstring program_directory;  ///< of certwire-service.exe
  std::wstring data_directory;     ///< %ProgramData%\Certwire
};

/// Parses the arguments after the program's own name. `error` is set if an option is unknown, lacks
/// its value, or is out of range.
Options ParseOptions(const std::vector<std::wstring>& arguments, const Places& places);

/// The arguments, the program first, with which node.exe is started.
std::vector<std::wstring> NodeArguments(const Options& options);

/// The option takes a path.
bool IsPathOption(const std::wstring& name);

/// What `--help` prints.
extern const wchar_t kUsage[];

}  // namespace service_host

#endif  // CERTWIRE_SERVICE_HOST_OPTIONS_H_
