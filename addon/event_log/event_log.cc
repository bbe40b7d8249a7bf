#include "event_log.h"

#include <vector>

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

}  // namespace

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
  std::vector<const wchar_t*> texts;
  for (const std::wstring& text : insertions) texts.push_back(text.c_str());
  if (!ReportEventW(source_, EventType(id), 0, id, nullptr, static_cast<WORD>(texts.size()), 0,
                    texts.data(), nullptr)) {
    return false;
  }
  last_report_[id] = collect::SystemClock().MonotonicMs();
  return true;
}

}  // namespace event_log
