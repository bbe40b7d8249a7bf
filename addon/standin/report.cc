#include "report.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace standin {

Report::Report(const std::wstring& path)
    // Append access makes the writes of several threads atomic without a lock.
    : file_(CreateFileW(path.c_str(), FILE_APPEND_DATA | SYNCHRONIZE,
                        FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr, CREATE_ALWAYS,
                        FILE_ATTRIBUTE_NORMAL, nullptr)) {
  if (file_ == INVALID_HANDLE_VALUE) throw std::runtime_error("cannot create the result file");
}

Report::~Report() { CloseHandle(file_); }

void Report::Write(const nlohmann::json& line) {
  const std::string text = line.dump() + "\n";
  DWORD written = 0;
  WriteFile(file_, text.data(), static_cast<DWORD>(text.size()), &written, nullptr);
}

}  // namespace standin
