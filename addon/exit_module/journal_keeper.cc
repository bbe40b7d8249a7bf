#include "journal_keeper.h"

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "access.h"
#include "collect/utf16.h"
#include "event_log/event_log.h"
#include "journal/cbor.h"
#include "journal/units.h"
#include "messages.h"
#include "process_recorder.h"
#include "settings.h"
#include "version.h"

namespace exit_module {
namespace {

constexpr DWORD kRetryMs = 30'000;
constexpr DWORD kCheckMs = 1'000;

std::string Utf8(const std::wstring& text) {
  std::vector<uint8_t> utf8;
  collect::ToUtf8({reinterpret_cast<const uint8_t*>(text.data()), text.size() * sizeof(wchar_t)},
                  &utf8);
  return {utf8.begin(), utf8.end()};
}

std::wstring Hex(uint64_t number) {
  wchar_t text[19];
  std::swprintf(text, std::size(text), L"0x%08llX", static_cast<unsigned long long>(number));
  return text;
}

/// What the EPOCH frame says about this process: a CBOR map.
std::string EpochInfo(const std::string& ca_name) {
  std::string info(256 + ca_name.size(), '\0');
  journal::CborEncoder encoder(reinterpret_cast<uint8_t*>(info.data()), info.size());
  encoder.Map(3);
  encoder.Text("ca");
  encoder.Text(ca_name);
  encoder.Text("pid");
  encoder.Uint(GetCurrentProcessId());
  encoder.Text("build");
  encoder.Text(CERTWIRE_VERSION_TEXT);
  info.resize(encoder.size());
  return info;
}

class JournalKeeper {
 public:
  explicit JournalKeeper(ProcessRecorder& recorder) : recorder_(recorder) {}

  /// Runs until the process ends. A fault or a lack of memory ends one round, never the thread.
  void Run() {
    for (;;) {
      Fault fault;
      const bool done = Guarded([this] { DoRound(); }, &fault);
      if (!done) fault_ = fault;
      if (!writer_started_) recorder_.WriterTried(false);
      Sleep(done && writer_started_ ? kCheckMs : kRetryMs);
    }
  }

 private:
  void DoRound() {
    if (!writer_started_) StartWriter();
    ReportStart();
    ReportJournal();
    ReportTroubles();
  }

  /// Before anything is written to the event log, whose service may hang.
  void StartWriter() {
    const Settings settings = ReadSettings(recorder_.ca_name());
    ignored_ = settings.ignored;
    raised_ = settings.raised;
    directory_ = settings.journal_directory;
    // Before the directory is checked: the limits apply at once, also when it is refused.
    if (!Configure(settings)) return;
    // Registration made the default directory; another one may be made here. Nothing is asked of a
    // network path: its server may hang, or want to know who we are.
    if (IsLocalFullPath(directory_) &&
        GetFileAttributesW(directory_.c_str()) == INVALID_FILE_ATTRIBUTES) {
      SecureDirectory(directory_, kJournalRights);
    }
    refused_ = DistrustReason(directory_);
    if (!refused_.empty() || !recorder_.writer().Start().ok()) return;
    is_readable_ = IsReadableByOthers(directory_);
    writer_started_ = true;
    recorder_.WriterTried(true);
  }

  bool Configure(const Settings& settings) {
    const std::string directory = Utf8(directory_);
    const std::string info = EpochInfo(Utf8(recorder_.ca_name()));
    journal::WriterOptions options;
    options.directory = directory.c_str();
    options.max_journal_bytes = uint64_t{settings.max_journal_megabytes} * journal::kMebibyte;
    options.min_free_bytes = uint64_t{settings.min_free_megabytes} * journal::kMebibyte;
    options.max_outstanding_bytes = uint64_t{settings.max_memory_megabytes} * journal::kMebibyte;
    options.epoch_info = reinterpret_cast<const uint8_t*>(info.data());
    options.epoch_info_size = info.size();
    const journal::Status status = recorder_.writer().Configure(options);
    // Only now, since the first event waits for all settings.
    recorder_.SetBlankedAttributes(settings.blanked_attributes);
    const std::string_view what = status.what();
    if (!status.ok()) refused_.assign(what.begin(), what.end());
    return status.ok();
  }

  void ReportStart() {
    if (!refused_.empty()) log_.Report(MSG_JOURNAL_REFUSED, {directory_, refused_});
    while (!ignored_.empty() &&
           log_.Report(MSG_SETTING_IGNORED, {ignored_.back().name, ignored_.back().reason})) {
      ignored_.pop_back();
    }
    while (!raised_.empty() &&
           log_.Report(MSG_SETTING_RAISED,
                       {raised_.back().name, std::to_wstring(raised_.back().used)})) {
      raised_.pop_back();
    }
    if (is_readable_ && log_.Report(MSG_JOURNAL_READABLE, {directory_})) is_readable_ = false;
    if (writer_started_ && !start_reported_) {
      start_reported_ =
          log_.Report(MSG_STARTED, {CERTWIRE_VERSION, recorder_.ca_name(), directory_});
    }
  }

  void ReportJournal() {
    const journal::WriterStats stats = recorder_.writer().Stats();
    if (stats.degraded == was_degraded_) return;
    const std::string_view problem = stats.last_problem;
    const bool reported =
        stats.degraded ? log_.Report(MSG_JOURNAL_FAILED,
                                     {directory_, std::wstring(problem.begin(), problem.end()),
                                      std::to_wstring(stats.last_os_error)})
                       : log_.Report(MSG_JOURNAL_RECOVERED, {directory_});
    if (reported) was_degraded_ = stats.degraded;
  }

  void ReportTroubles() {
    if (fault_.code != 0 &&
        log_.Report(MSG_BACKGROUND_FAULT,
                    {Hex(fault_.code), Hex(reinterpret_cast<uintptr_t>(fault_.address))})) {
      fault_ = {};
    }
    const uint64_t lost = recorder_.writer().Stats().dropped;
    if (lost != reported_lost_ && log_.Report(MSG_EVENTS_LOST, {std::to_wstring(lost)})) {
      reported_lost_ = lost;
    }
    const ProcessRecorder::Troubles troubles = recorder_.troubles();
    if (troubles.fault_code != 0 && !fault_reported_) {
      fault_reported_ =
          log_.Report(MSG_FAULT, {Hex(troubles.fault_code), Hex(troubles.fault_address)});
    }
    const uint64_t unanswered = troubles.unanswered_events;
    if (unanswered != reported_unanswered_ &&
        log_.Report(MSG_SERVER_UNAVAILABLE,
                    {std::to_wstring(unanswered), Hex(troubles.last_server_result)})) {
      reported_unanswered_ = unanswered;
    }
  }

  ProcessRecorder& recorder_;
  event_log::EventLog log_;
  std::wstring directory_;
  std::wstring refused_;                    ///< why the directory is not used; empty when it is
  std::vector<Settings::Ignored> ignored_;  ///< not reported yet
  std::vector<Settings::Raised> raised_;    ///< not reported yet
  Fault fault_;                             ///< of this thread, not reported yet
  bool is_readable_ = false;                ///< for other accounts, and not reported yet
  bool writer_started_ = false;
  bool start_reported_ = false;
  bool was_degraded_ = false;
  bool fault_reported_ = false;
  uint64_t reported_lost_ = 0;
  uint64_t reported_unanswered_ = 0;
};

DWORD WINAPI KeeperMain(void* recorder) {
  JournalKeeper(*static_cast<ProcessRecorder*>(recorder)).Run();
  return 0;
}

}  // namespace

bool StartJournalKeeper(ProcessRecorder* recorder) {
  HANDLE thread = CreateThread(nullptr, 0, KeeperMain, recorder, 0, nullptr);
  if (thread == nullptr) return false;
  CloseHandle(thread);
  return true;
}

}  // namespace exit_module
