#ifndef CERTWIRE_EXIT_MODULE_SETTINGS_H_
#define CERTWIRE_EXIT_MODULE_SETTINGS_H_

#include <windows.h>

#include <string>
#include <vector>

namespace exit_module {

/// Settings of the module; docs/reference/exit-module-settings.md describes the registry values.
struct Settings {
  std::wstring journal_directory;
  DWORD max_journal_megabytes = 10240;
  DWORD min_free_megabytes = 2048;
  DWORD max_memory_megabytes = 64;
  std::vector<std::wstring> blanked_attributes;

  /// A registry value that is not used, and why.
  struct Ignored {
    std::wstring name;
    std::wstring reason;
  };
  std::vector<Ignored> ignored;

  /// A registry value that is too small, and what is used instead.
  struct Raised {
    std::wstring name;
    DWORD used;
  };
  std::vector<Raised> raised;
};

/// Reads the registry key of the module below the CA `ca_name`, or, if there is none, below the CA
/// that the registry calls active. What is missing or out of range has its default.
Settings ReadSettings(const std::wstring& ca_name);

/// %ProgramData%\Certwire.
std::wstring BaseDirectory();

}  // namespace exit_module

#endif  // CERTWIRE_EXIT_MODULE_SETTINGS_H_
