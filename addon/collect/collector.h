#ifndef CERTWIRE_COLLECT_COLLECTOR_H_
#define CERTWIRE_COLLECT_COLLECTOR_H_

#include <cstdint>

#include "collect/clock.h"
#include "collect/property_source.h"
#include "collect/record.h"
#include "collect/redaction.h"

namespace collect {

/// Most entries of an enumeration that are read, and most CA certificates.
inline constexpr int32_t kMaxEntries = 1024;
/// Longest name of an attribute or extension, in UTF-16 code units; a longer one ends the
/// enumeration.
inline constexpr size_t kMaxNameUnits = 1024;

/// What limits a collection.
struct CollectLimits {
  uint32_t budget_ms = 0;  ///< optional reads end this long after the start
  /// Attributes whose values are secrets. Null while they are not known: then no value of an
  /// attribute is read.
  const SecretNames* secrets = nullptr;
};

/// Reads what the property table names for the event of `record` (event and context are set) from
/// `source` into it. Whatever fails becomes a problem of the record. Time is that of `clock`.
void Collect(PropertySource& source, const Clock& clock, const CollectLimits& limits,
             Record* record);

}  // namespace collect

#endif  // CERTWIRE_COLLECT_COLLECTOR_H_
