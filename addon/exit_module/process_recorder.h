#ifndef CERTWIRE_EXIT_MODULE_PROCESS_RECORDER_H_
#define CERTWIRE_EXIT_MODULE_PROCESS_RECORDER_H_

#include <windows.h>

#include <atomic>
#include <string>
#include <string_view>
#include <vector>

#include "collect/recorder.h"
#include "fault_guard.h"
#include "journal/writer.h"
#include "server_properties.h"

namespace exit_module {

/// What the process has once however many COM objects exist: journal writer, recorder and
/// background thread. Made by the first Initialize, never destroyed.
class ProcessRecorder {
 public:
  /// Null before Initialize, and when memory was short.
  static ProcessRecorder* Get();
  /// Makes the recorder, keeps the DLL loaded for the life of the process, starts the background
  /// thread and queues the start record; once per process. When memory is short nothing is made,
  /// and the next call tries again.
  static void Start(std::wstring_view ca_name);

  /// Records an event; the shutdown event also seals the journal. After a fault the event is lost
  /// and counted, and unless memory was short nothing is collected any more.
  void Notify(int32_t event, int32_t context);

  journal::Writer& writer() { return writer_; }
  const std::wstring& ca_name() const { return ca_name_; }
  const collect::Recorder& recorder() const { return recorder_; }

  /// The background thread has read the settings: the names of attributes to blank.
  void SetBlankedAttributes(const std::vector<std::wstring>& names);
  /// The background thread says that it has tried to start the writer, and with what result.
  void WriterTried(bool started);

  /// What happened on the calling threads, for the background thread to report.
  struct Troubles {
    uint32_t fault_code = 0;
    uint64_t fault_address = 0;
    uint64_t unanswered_events = 0;  ///< without a server object
    uint32_t last_server_result = 0;
  };
  Troubles troubles() const;

 private:
  ProcessRecorder(journal::Writer& writer, std::wstring_view ca_name);
  ~ProcessRecorder() = default;

  struct Call;

  static ProcessRecorder* Make(std::wstring_view ca_name);
  /// Unless it runs. A thread that could not be made is tried again with the next event.
  void EnsureJournalKeeper();
  void Record(int32_t event, int32_t context);
  void Record(int32_t event, int32_t context, Call* call);
  void Abandon(const Fault& fault);
  void NoteFault(const Fault& fault);
  void Seal();
  void AwaitSettings(int32_t event);

  journal::Writer& writer_;
  const std::wstring ca_name_;
  collect::Recorder recorder_;
  const HANDLE tried_;
  const HANDLE configured_;
  std::atomic<bool> awaits_settings_{true};
  std::atomic<bool> writer_started_{false};
  std::atomic<bool> has_thread_{false};
  std::atomic<uint32_t> fault_code_{0};
  std::atomic<uint64_t> fault_address_{0};
  std::atomic<uint64_t> unanswered_events_{0};
  std::atomic<uint32_t> last_server_result_{0};
};

}  // namespace exit_module

#endif  // CERTWIRE_EXIT_MODULE_PROCESS_RECORDER_H_
