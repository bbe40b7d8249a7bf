#include "settings.h"

#include "com.h"
#include "journal/space_rule.h"

namespace exit_module {
namespace {

constexpr wchar_t kConfiguration[] = L"SYSTEM\\CurrentControlSet\\Services\\CertSvc\\Configuration";

/// Longest journal directory: CreateFileW takes paths of 259 characters, and a segment's name of 23
/// follows a backslash.
constexpr size_t kLongestDirectory = 259 - 1 - 23;

constexpr DWORD kLeastJournal = journal::kLeastJournalBytes / journal::kMebibyte;
constexpr DWORD kLeastMemory = journal::kLeastMemoryBytes / journal::kMebibyte;
constexpr DWORD kLargestMegabytes = 16'777'216;  // 16 TiB

std::wstring Expanded(const std::wstring& text) {
  const DWORD size = ExpandEnvironmentStringsW(text.c_str(), nullptr, 0);
  std::wstring expanded(size, L'\0');
  const DWORD used = ExpandEnvironmentStringsW(text.c_str(), expanded.data(), size);
  expanded.resize(used == 0 ? 0 : used - 1);
  return expanded;
}

constexpr DWORD kText = RRF_RT_REG_SZ | RRF_RT_REG_EXPAND_SZ | RRF_NOEXPAND;

/// A text value of whatever length and of the types RRF_RT_*.
LSTATUS ReadText(const std::wstring& key, const wchar_t* name, DWORD types, std::wstring* text) {
  DWORD bytes = 0;
  LSTATUS status =
      RegGetValueW(HKEY_LOCAL_MACHINE, key.c_str(), name, types, nullptr, nullptr, &bytes);
  if (status != ERROR_SUCCESS) return status;
  text->resize(bytes / sizeof(wchar_t));
  status =
      RegGetValueW(HKEY_LOCAL_MACHINE, key.c_str(), name, types, nullptr, text->data(), &bytes);
  text->resize(bytes / sizeof(wchar_t));
  while (!text->empty() && text->back() == L'\0') text->pop_back();
  return status;
}

bool KeyExists(const std::wstring& key) {
  HKEY handle = nullptr;
  if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, key.c_str(), 0, KEY_QUERY_VALUE, &handle) != 0)
    return false;
  RegCloseKey(handle);
  return true;
}

std::wstring ModuleKey(const std::wstring& ca) {
  return std::wstring(kConfiguration) + L"\\" + ca + L"\\ExitModules\\" + kExitProgId;
}

/// Initialize gets the CA's name as entered at setup, but the key has its sanitized form, which can
/// differ. A name with a backslash would lead to another key altogether.
std::wstring FindModuleKey(const std::wstring& ca_name) {
  const std::wstring key = ModuleKey(ca_name);
  if (ca_name.find(L'\\') == ca_name.npos && KeyExists(key)) return key;
  std::wstring active;
  if (ReadText(kConfiguration, L"Active", kText, &active) != ERROR_SUCCESS) return key;
  return ModuleKey(active);
}

void ReadNumber(const std::wstring& key, const wchar_t* name, DWORD least, DWORD most,
                DWORD* number, Settings* settings) {
  DWORD value = 0;
  DWORD bytes = sizeof value;
  const LSTATUS status = RegGetValueW(HKEY_LOCAL_MACHINE, key.c_str(), name, RRF_RT_REG_DWORD,
                                      nullptr, &value, &bytes);
  if (status == ERROR_FILE_NOT_FOUND) return;
  if (status != ERROR_SUCCESS) {
    settings->ignored.push_back({name, L"it is not a REG_DWORD"});
  } else if (value > most) {
    settings->ignored.push_back({name, L"it is above " + std::to_wstring(most)});
  } else if (value < least) {
    settings->raised.push_back({name, least});
    *number = least;
  } else {
    *number = value;
  }
}

/// The texts of a REG_MULTI_SZ, one after the other with a NUL after each, or of a REG_SZ with
/// commas.
std::vector<std::wstring> SplitList(const std::wstring& text) {
  std::vector<std::wstring> parts;
  for (size_t start = 0; start < text.size();) {
    const size_t end = text.find_first_of(std::wstring_view(L"\0,", 2), start);
    const size_t next = end == text.npos ? text.size() : end;
    if (next > start) parts.push_back(text.substr(start, next - start));
    start = next + 1;
  }
  return parts;
}

void ReadBlankedAttributes(const std::wstring& key, Settings* settings) {
  constexpr DWORD kFlags = RRF_RT_REG_MULTI_SZ | RRF_RT_REG_SZ;
  std::wstring text;
  const LSTATUS status = ReadText(key, L"BlankedAttributes", kFlags, &text);
  if (status == ERROR_FILE_NOT_FOUND) return;
  if (status == ERROR_SUCCESS) {
    settings->blanked_attributes = SplitList(text);
  } else {
    settings->ignored.push_back({L"BlankedAttributes", L"it is not a list of texts"});
  }
}

void ReadJournalDirectory(const std::wstring& key, Settings* settings) {
  settings->journal_directory = BaseDirectory() + L"\\journal";
  std::wstring text;
  const LSTATUS status = ReadText(key, L"JournalDirectory", kText, &text);
  if (status == ERROR_FILE_NOT_FOUND) return;
  if (status != ERROR_SUCCESS || text.empty()) {
    settings->ignored.push_back({L"JournalDirectory", L"it is not text"});
    return;
  }
  std::wstring directory = Expanded(text);
  while (directory.ends_with(L'\\')) directory.pop_back();
  if (directory.size() > kLongestDirectory) {
    settings->ignored.push_back(
        {L"JournalDirectory",
         L"it is longer than " + std::to_wstring(kLongestDirectory) + L" characters"});
    return;
  }
  settings->journal_directory = directory;
}

}  // namespace

std::wstring BaseDirectory() { return Expanded(L"%ProgramData%\\Certwire"); }

Settings ReadSettings(const std::wstring& ca_name) {
  Settings settings;
  const std::wstring key = FindModuleKey(ca_name);
  ReadJournalDirectory(key, &settings);
  ReadBlankedAttributes(key, &settings);
  ReadNumber(key, L"MaxJournalMegabytes", kLeastJournal, kLargestMegabytes,
             &settings.max_journal_megabytes, &settings);
  ReadNumber(key, L"MinFreeMegabytes", 0, kLargestMegabytes, &settings.min_free_megabytes,
             &settings);
  ReadNumber(key, L"MaxMemoryMegabytes", kLeastMemory, 1024, &settings.max_memory_megabytes,
             &settings);
  return settings;
}

}  // namespace exit_module
