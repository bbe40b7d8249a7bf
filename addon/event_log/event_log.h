#ifndef CERTWIRE_EVENT_LOG_EVENT_LOG_H_
#define CERTWIRE_EVENT_LOG_EVENT_LOG_H_

#include <windows.h>

#include <initializer_list>
#include <map>
#include <string>
#include <vector>

namespace event_log {

inline constexpr wchar_t kEventSource[] = L"Certwire";

/// Writes one entry, with the message `id` (MSG_* of messages.mc), as source `Certwire` of the
/// Application log; may take long. Returns the error of Windows, or ERROR_SUCCESS.
DWORD WriteEntry(DWORD id, const std::vector<std::wstring>& insertions);

/// Writes into the Application log as source `Certwire`. Belongs to one thread, which registers the
/// source with its first message: a call of the log may take long.
class EventLog {
 public:
  EventLog() = default;
  ~EventLog();
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  /// Writes the message `id` (MSG_* of messages.mc) with its insertions; false when it is not
  /// written: the same message was within the last ten minutes, or the log cannot be had.
  bool Report(DWORD id, std::initializer_list<std::wstring> insertions);

 private:
  bool IsDue(DWORD id) const;

  HANDLE source_ = nullptr;
  std::map<DWORD, uint64_t> last_report_;  ///< monotonic milliseconds by message
};

}  // namespace event_log

#endif  // CERTWIRE_EVENT_LOG_EVENT_LOG_H_
