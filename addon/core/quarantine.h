#ifndef CERTWIRE_CORE_QUARANTINE_H_
#define CERTWIRE_CORE_QUARANTINE_H_

#include <cstdint>
#include <string>

#include "journal/file.h"
#include "journal/units.h"
#include "scanner.h"

namespace journal {

/// Keeps copies of damaged ranges for people to examine. Best effort: a failure changes nothing
/// about what is read.
class Quarantine {
 public:
  /// Copies of more than this many bytes are cut.
  static constexpr size_t kMaxCopy = 17 * kMebibyte;

  Quarantine(FileSystem* files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}

  /// Copies [from, to) of a segment, with a JSON file beside it. A range that is there is not
  /// copied again.
  void Keep(SegmentScanner* segment, uint64_t from, uint64_t to);

 private:
  Status Write(const std::string& name, const void* data, size_t size);

  FileSystem* files_;
  std::string directory_;  ///< empty: keep nothing
};

}  // namespace journal

#endif  // CERTWIRE_CORE_QUARANTINE_H_
