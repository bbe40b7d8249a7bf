#ifndef CERTWIRE_JOURNAL_SEGMENT_LIST_H_
#define CERTWIRE_JOURNAL_SEGMENT_LIST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "journal/file.h"
#include "journal/status.h"

namespace journal {

/// A segment with a valid header.
struct SegmentInfo {
  std::string name;    ///< of the file
  uint64_t bytes = 0;  ///< size of the file
  uint32_t epoch_number = 0;
  std::string epoch_id;  ///< 32 hex digits
  uint32_t index = 0;    ///< of the segment in its epoch
  uint64_t first_sequence = 0;
  uint64_t time = 0;               ///< UTC in 100 ns since 1601, when the segment was begun
  bool is_writers = false;         ///< a writer is in this epoch, or was in it last
  uint64_t max_journal_bytes = 0;  ///< the writer's MaxJournalMegabytes; 0: unknown
  uint64_t min_free_bytes = 0;     ///< the writer's MinFreeMegabytes; 0: unknown
};

/// Lists the segments of a directory in the order of reading. Fails also when the file that names
/// the writer's epoch is there but cannot be read.
Status ListSegments(FileSystem* files, const std::string& directory,
                    std::vector<SegmentInfo>* segments);

}  // namespace journal

#endif  // CERTWIRE_JOURNAL_SEGMENT_LIST_H_
