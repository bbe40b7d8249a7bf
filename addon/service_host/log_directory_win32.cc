#include "log_directory_win32.h"

#include <cwchar>
#include <utility>

namespace service_host {
namespace {

constexpr wchar_t kPrefix[] = L"\\service-";
constexpr wchar_t kSuffix[] = L".log";
constexpr size_t kFewestDigits = 6;
constexpr size_t kMostDigits = 12;

/// The number in `service-NUMBER.log`; 0 for another name.
uint64_t NumberIn(std::wstring_view name) {
  const std::wstring_view prefix = std::wstring_view(kPrefix).substr(1);
  const std::wstring_view suffix = kSuffix;
  if (!name.starts_with(prefix) || !name.ends_with(suffix)) return 0;
  if (name.size() < prefix.size() + kFewestDigits + suffix.size()) return 0;
  if (name.size() > prefix.size() + kMostDigits + suffix.size()) return 0;
  uint64_t number = 0;
  for (const wchar_t c : name.substr(prefix.size(), name.size() - prefix.size() - suffix.size())) {
    if (c < L'0' || c > L'9') return 0;
    number = number * 10 + static_cast<uint64_t>(c - L'0');
  }
  return number;
}

/// Makes the directory and what is missing above it.
void MakeDirectory(const std::wstring& path) {
  if (CreateDirectoryW(path.c_str(), nullptr) || GetLastError() != ERROR_PATH_NOT_FOUND) return;
  const size_t parent = path.rfind(L'\\');
  if (parent == path.npos || parent < 3) return;  // not above the root of a drive
  MakeDirectory(path.substr(0, parent));
  CreateDirectoryW(path.c_str(), nullptr);
}

}  // namespace

WindowsLogDirectory::WindowsLogDirectory(std::wstring path) : path_(std::move(path)) {}

std::wstring WindowsLogDirectory::PathOf(uint64_t number) const {
  wchar_t digits[24];
  std::swprintf(digits, std::size(digits), L"%06llu", static_cast<unsigned long long>(number));
  return path_ + kPrefix + digits + kSuffix;
}

std::vector<uint64_t> WindowsLogDirectory::List() {
  std::vector<uint64_t> numbers;
  WIN32_FIND_DATAW found;
  const HANDLE search = FindFirstFileW((path_ + kPrefix + L"*" + kSuffix).c_str(), &found);
  if (search == INVALID_HANDLE_VALUE) return numbers;
  do {
    if (const uint64_t number = NumberIn(found.cFileName); number > 0) numbers.push_back(number);
  } while (FindNextFileW(search, &found));
  FindClose(search);
  return numbers;
}

std::optional<uint64_t> WindowsLogDirectory::Open(uint64_t number) {
  MakeDirectory(path_);
  // A link in the place of a file is opened itself, so that nobody can lead the log elsewhere.
  file_ = Handle(CreateFileW(PathOf(number).c_str(), FILE_APPEND_DATA,
                             FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
                             OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT,
                             nullptr));
  LARGE_INTEGER size{};
  if (!file_ || !GetFileSizeEx(file_.get(), &size)) {
    error_ = GetLastError();
    Close();
    return std::nullopt;
  }
  return static_cast<uint64_t>(size.QuadPart);
}

size_t WindowsLogDirectory::Append(std::string_view bytes) {
  size_t written = 0;
  while (written < bytes.size()) {
    DWORD count = 0;
    if (!WriteFile(file_.get(), bytes.data() + written, static_cast<DWORD>(bytes.size() - written),
                   &count, nullptr)) {
      error_ = GetLastError();
      break;
    }
    if (count == 0) {
      error_ = ERROR_DISK_FULL;
      break;
    }
    written += count;
  }
  return written;
}

void WindowsLogDirectory::Close() { file_.Close(); }

void WindowsLogDirectory::Remove(uint64_t number) { DeleteFileW(PathOf(number).c_str()); }

uint64_t WindowsLogDirectory::NowMs() const { return GetTickCount64(); }

}  // namespace service_host
