#include "report.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace standin {

Report::Report(const std::wstring& path)
    : file_(CreateFileW(path.c_str(), GENERIC_WRITE, FILE_SHARE_READ, nullptr, CREATE_ALWAYS,
                        FILE_ATTRIBUTE_NORMAL, nullptr)) {
  if (file_ == INVALID_HANDLE_VALUE) throw std::runtime_error("cannot create the result file");
}

Report::~Report() { CloseHandle(file_); }

void Report::Write(const nlohmann::json& line) {
  const std::string text = line.dump() + "\n";
  DWORD written = 0;
  const std::lock_guard lock(mutex_);
  WriteFile(file_, text.data(), static_cast<DWORD>(text.size()), &written, nullptr);
}

}  // namespace standin
