#include "journal/segment_list.h"

#include <optional>

#include "catalog.h"
#include "epoch_links.h"
#include "hex.h"
#include "platform.h"

namespace journal {

Status ListSegments(FileSystem* files, const std::string& directory,
                    std::vector<SegmentInfo>* segments) {
  Catalog catalog(files, directory);
  Status status = catalog.Refresh(MonotonicNanos());
  std::optional<EpochKey> writers_epoch;
  // Whoever deletes segments must not take the writer's epoch for one that has ended.
  if (status.ok()) status = EpochLinks(files).FindWriter(catalog, &writers_epoch);
  if (!status.ok()) return status;
  for (const auto& [key, epoch] : catalog.epochs()) {
    for (const auto& [index, segment] : epoch) {
      SegmentInfo& info = segments->emplace_back();
      info.name = segment.name;
      info.bytes = segment.file_size;
      info.epoch_number = key.number;
      info.epoch_id = HexOf(key.id);
      info.index = index;
      info.first_sequence = segment.header.first_sequence;
      info.time = segment.header.time;
      info.is_writers = key == writers_epoch;
      info.max_journal_bytes = segment.header.max_journal_bytes;
      info.min_free_bytes = segment.header.min_free_bytes;
    }
  }
  return status;
}

}  // namespace journal
