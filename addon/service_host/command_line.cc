#include "command_line.h"

#include <string_view>

namespace service_host {
namespace {

/// Backslashes count as themselves unless a quote follows them: then each one is doubled.
std::wstring Quoted(std::wstring_view argument) {
  std::wstring quoted = L"\"";
  size_t backslashes = 0;
  for (const wchar_t c : argument) {
    if (c == L'"') quoted.append(backslashes + 1, L'\\');
    backslashes = c == L'\\' ? backslashes + 1 : 0;
    quoted.push_back(c);
  }
  quoted.append(backslashes, L'\\');
  quoted.push_back(L'"');
  return quoted;
}

}  // namespace

std::wstring CommandLine(const std::vector<std::wstring>& arguments) {
  std::wstring line;
  for (const std::wstring& argument : arguments) {
    if (!line.empty()) line.push_back(L' ');
    line.append(Quoted(argument));
  }
  return line;
}

}  // namespace service_host
