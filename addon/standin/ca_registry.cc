#include "ca_registry.h"

#include <stdexcept>

namespace standin {
namespace {

const wchar_t kConfiguration[] = L"SYSTEM\\CurrentControlSet\\Services\\CertSvc\\Configuration";

void Set(const std::wstring& key, const wchar_t* name, DWORD type, const void* data, size_t size) {
  const LSTATUS status =
      RegSetKeyValueW(HKEY_LOCAL_MACHINE, key.c_str(), name, type, data, static_cast<DWORD>(size));
  if (status != ERROR_SUCCESS) throw std::runtime_error("cannot write the registry");
}

/// `text` may hold zeros between the strings of a REG_MULTI_SZ.
void SetText(const std::wstring& key, const wchar_t* name, const std::wstring& text,
             DWORD type = REG_SZ) {
  Set(key, name, type, text.c_str(), (text.size() + 1) * sizeof(wchar_t));
}

}  // namespace

void WriteCaRegistry(const Scenario& scenario, const std::wstring& prog_id,
                     const std::wstring& journal_directory) {
  const std::wstring ca = std::wstring(kConfiguration) + L"\\" + scenario.ca_name;
  const std::wstring modules = ca + L"\\ExitModules";
  const std::wstring module = modules + L"\\" + prog_id;
  SetText(kConfiguration, L"Active", scenario.ca_name);
  SetText(ca, L"CommonName", scenario.ca_name);
  SetText(modules, L"Active", prog_id + L'\0', REG_MULTI_SZ);
  // Settings of an earlier run must not reach this one.
  RegDeleteTreeW(HKEY_LOCAL_MACHINE, module.c_str());
  SetText(module, L"JournalDirectory", journal_directory);
  for (const auto& [name, number] : scenario.numeric_settings) {
    Set(module, name.c_str(), REG_DWORD, &number, sizeof(number));
  }
  for (const auto& [name, text] : scenario.text_settings) SetText(module, name.c_str(), text);
}

}  // namespace standin
