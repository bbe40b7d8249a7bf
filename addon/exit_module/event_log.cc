#include "event_log.h"

#include <vector>

namespace exit_module {
namespace {

constexpr ULONGLONG kQuietMs = 10 * 60 * 1000;

/// The severity is in the highest two bits of a message's number.
WORD EventType(DWORD id) {
  switch (id >> 30) {
    case 3:
      return EVENTLOG_ERROR_TYPE;
    case 2:
      return EVENTLOG_WARNING_TYPE;
    default:
      return EVENTLOG_INFORMATION_TYPE;
  }
}

}  // namespace

EventLog::EventLog() : source_(RegisterEventSourceW(nullptr, kEventSource)) {}

EventLog::~EventLog() {
  if (source_ != nullptr) DeregisterEventSource(source_);
}

bool EventLog::IsDue(DWORD id) {
  const ULONGLONG now = GetTickCount64();
  const auto last = last_report_.find(id);
  if (last != last_report_.end() && now - last->second < kQuietMs) return false;
  last_report_[id] = now;
  return true;
}

bool EventLog::Report(DWORD id, std::initializer_list<std::wstring> insertions) {
  if (source_ == nullptr || !IsDue(id)) return false;
  std::vector<const wchar_t*> texts;
  for (const std::wstring& text : insertions) texts.push_back(text.c_str());
  ReportEventW(source_, EventType(id), 0, id, nullptr, static_cast<WORD>(texts.size()), 0,
               texts.data(), nullptr);
  return true;
}

}  // namespace exit_module
