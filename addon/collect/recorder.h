#ifndef CERTWIRE_COLLECT_RECORDER_H_
#define CERTWIRE_COLLECT_RECORDER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "collect/clock.h"
#include "collect/collector.h"
#include "collect/exit_event.h"
#include "collect/property_source.h"
#include "collect/record.h"
#include "collect/redaction.h"
#include "journal/writer.h"

namespace collect {

/// Schema number of the records in the journal's frames.
inline constexpr uint16_t kRecordSchema = 1;

/// Longest time that one Notify spends on optional properties, in milliseconds.
inline constexpr uint32_t kCollectBudgetMs = 500;

/// Longest time that a shutdown waits for the journal, in milliseconds.
inline constexpr uint32_t kShutdownWaitMs = 2000;

/// The way of an event from the certification authority into the journal: collect, encode, append.
/// Used by the exit module and by the simulated CA alike. Thread-safe; nothing is thrown.
class Recorder {
 public:
  /// `writer` and `clock` must outlive the recorder. `ca_name`: the text that Initialize got. Of
  /// attributes, only the built-in names are secrets.
  Recorder(journal::Writer& writer, std::u16string ca_name, const Clock& clock = SystemClock());
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// The names of secrets are still to be read: until SetSecretNames no value of an attribute is
  /// recorded. Call before the first event.
  void AwaitSecretNames() { secrets_.store(nullptr); }
  /// By one thread; events may be recorded at the same time.
  void SetSecretNames(SecretNames names);

  /// Records one event with everything that `source` says about it.
  journal::AppendResult Notify(int32_t event, int32_t context, PropertySource& source) noexcept;
  /// The same with an empty record of the caller, whose frame may survive what ends this one.
  journal::AppendResult Notify(int32_t event, int32_t context, PropertySource& source,
                               Record* record) noexcept;
  /// Records that the CA started (event 0x80, context 0).
  journal::AppendResult Started(PropertySource& source) noexcept;
  /// Seals the journal after the shutdown event was recorded; true when it was done in time. Later
  /// events are recorded all the same.
  bool Shutdown(uint32_t timeout_ms = kShutdownWaitMs) noexcept;

  /// True once a source faulted: from then on events are recorded without any property.
  bool faulted() const { return faulted_.load(std::memory_order_relaxed); }
  /// Makes every later event be recorded without any property, as after a fault of a source.
  void StopCollecting() { faulted_.store(true, std::memory_order_relaxed); }

 private:
  journal::AppendResult RecordEvent(int32_t event, int32_t context, uint64_t time,
                                    PropertySource& source, Record* record);

  journal::Writer& writer_;
  const std::u16string ca_name_;
  const Clock& clock_;
  std::atomic<bool> faulted_{false};
  KnownNames known_names_;
  const SecretNames built_in_names_;
  std::atomic<const SecretNames*> secrets_{&built_in_names_};
  /// All that were ever set: a thread may still be using one.
  std::vector<std::unique_ptr<const SecretNames>> set_names_;
};

}  // namespace collect

#endif  // CERTWIRE_COLLECT_RECORDER_H_
