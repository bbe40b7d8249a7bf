#ifndef CERTWIRE_COLLECT_COLLECTOR_H_
#define CERTWIRE_COLLECT_COLLECTOR_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "collect/clock.h"
#include "collect/property_source.h"
#include "collect/property_table.h"
#include "collect/record.h"
#include "collect/redaction.h"

namespace collect {

/// Most entries of an enumeration that are read, and most CA certificates.
inline constexpr int32_t kMaxEntries = 1024;
/// Longest name of an attribute or extension, in UTF-16 code units; a longer one ends the
/// enumeration.
inline constexpr size_t kMaxNameUnits = 1024;

/// Which names of the property table this CA knows, as its answers show. Thread-safe.
class KnownNames {
 public:
  /// True once the CA has refused the name at three times, a second or more apart, without ever
  /// having answered it: a refusal may come of the state that the CA is in, such as its start.
  bool Lacks(const Property& property) const {
    return refusals_[IndexOf(property)].load(std::memory_order_relaxed) == kEnoughRefusals;
  }
  void NoteAnswer(const Property& property, bool known, uint64_t now_ms) {
    auto& refusals = refusals_[IndexOf(property)];
    if (known) return refusals.store(kKnown, std::memory_order_relaxed);
    auto& next = next_ms_[IndexOf(property)];
    uint64_t due = next.load(std::memory_order_relaxed);
    // Of the threads that are refused at the same time, one counts.
    if (now_ms < due || !next.compare_exchange_strong(due, now_ms + kApartMs)) return;
    uint8_t seen = refusals.load(std::memory_order_relaxed);
    while (seen < kEnoughRefusals &&
           !refusals.compare_exchange_weak(seen, seen + 1, std::memory_order_relaxed)) {
    }
  }

 private:
  static constexpr uint8_t kEnoughRefusals = 3;
  static constexpr uint8_t kKnown = 0xff;
  static constexpr uint64_t kApartMs = 1'000;
  static constexpr size_t kMost = 256;

  static size_t IndexOf(const Property& property) {
    return static_cast<size_t>(&property - Properties().data()) % kMost;
  }

  std::atomic<uint8_t> refusals_[kMost] = {};
  std::atomic<uint64_t> next_ms_[kMost] = {};  ///< when the next refusal counts
};

/// What limits a collection.
struct CollectLimits {
  uint32_t budget_ms = 0;  ///< optional reads end this long after the start
  /// Attributes whose values are secrets. Null while they are not known: then no value of an
  /// attribute is read.
  const SecretNames* secrets = nullptr;
  /// What was learned of the CA before; a name that it lacks is not asked for. May be null.
  KnownNames* known = nullptr;
};

/// Reads what the property table names for the event of `record` (event and context are set) from
/// `source` into it. Whatever fails becomes a problem of the record. Time is that of `clock`.
void Collect(PropertySource& source, const Clock& clock, const CollectLimits& limits,
             Record* record);

}  // namespace collect

#endif  // CERTWIRE_COLLECT_COLLECTOR_H_
