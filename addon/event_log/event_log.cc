#include "event_log.h"

#include "collect/clock.h"

namespace event_log {
namespace {

constexpr uint64_t kQuietMs = 10 * 60 * 1000;

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

/// A Win32 error, never ERROR_SUCCESS unless the entry is written.
DWORD ReportTo(HANDLE source, DWORD id, const std::vector<std::wstring>& insertions) {
  std::vector<const wchar_t*> texts;
  for (const std::wstring& text : insertions) texts.push_back(text.c_str());
  if (ReportEventW(source, EventType(id), 0, id, nullptr, static_cast<WORD>(texts.size()), 0,
                   texts.data(), nullptr) != 0) {
    return ERROR_SUCCESS;
  }
  const DWORD error = GetLastError();
  return error != ERROR_SUCCESS ? error : ERROR_GEN_FAILURE;
}

}  // namespace

DWORD WriteEntry(DWORD id, const std::vector<std::wstring>& insertions) {
  const HANDLE source = RegisterEventSourceW(nullptr, kEventSource);
  if (source == nullptr) return GetLastError();
  const DWORD error = ReportTo(source, id, insertions);
  DeregisterEventSource(source);
  return error;
}

EventLog::~EventLog() {
  if (source_ != nullptr) DeregisterEventSource(source_);
}

bool EventLog::IsDue(DWORD id) const {
  const auto last = last_report_.find(id);
  return last == last_report_.end() ||
         collect::SystemClock().MonotonicMs() - last->second >= kQuietMs;
}

bool EventLog::Report(DWORD id, std::initializer_list<std::wstring> insertions) {
  if (!IsDue(id)) return false;
  if (source_ == nullptr) source_ = RegisterEventSourceW(nullptr, kEventSource);
  if (source_ == nullptr) return false;
  if (ReportTo(source_, id, insertions) != ERROR_SUCCESS) return false;
  last_report_[id] = collect::SystemClock().MonotonicMs();
  return true;
}

}  // namespace event_log
