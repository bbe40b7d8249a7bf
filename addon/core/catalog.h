#ifndef CERTWIRE_CORE_CATALOG_H_
#define CERTWIRE_CORE_CATALOG_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "journal/file.h"
#include "segment.h"
#include "writer_lock.h"

namespace journal {

/// Place of a segment by its name.
struct SegmentPlace {
  uint32_t number = 0;
  uint32_t index = 0;
  auto operator<=>(const SegmentPlace&) const = default;
};

/// A segment with a valid header.
struct CatalogSegment {
  std::string name;
  uint64_t file_size = 0;
  SegmentHeader header;
};

/// A file with the name of a segment that exists but could not be read when it was last listed.
struct UnreadableFile {
  SegmentPlace place;
  /// MonotonicNanos of the first listing that could not read it; it has failed since then.
  uint64_t since = 0;
  Status status;
  /// It opens but its bytes cannot be read: a damaged disk rather than rights or another process.
  bool is_damage = false;
};

/// Segments of an epoch by index.
using CatalogEpoch = std::map<uint32_t, CatalogSegment>;

/// The segments of a journal directory. Names alone mean nothing: a file counts with a valid header
/// only.
class Catalog {
 public:
  Catalog(FileSystem* files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}

  /// Lists the directory again; reads all headers when files came or went or one is new, and that
  /// of the newest file always. `now`: MonotonicNanos.
  Status Refresh(uint64_t now);
  const std::map<EpochKey, CatalogEpoch>& epochs() const { return epochs_; }
  std::string PathOf(const CatalogSegment& segment) const {
    return directory_ + "/" + segment.name;
  }
  /// The epoch that the lock file names: a writer is in it, or it was the last one that had a
  /// writer; none without such a file, and when it names none. Read again with each call. A failure
  /// says nothing of a writer.
  Status ReadWritersEpoch(std::optional<EpochKey>* epoch) const;
  /// The files in [from, before) that exist but could not be read just now.
  std::vector<UnreadableFile> Unreadable(SegmentPlace from, SegmentPlace before) const;

 private:
  struct Known {
    uint64_t size = 0;
    bool valid = false;
    /// It could not be read when it had to be, so it may be another segment by now.
    bool unconfirmed = false;
    SegmentHeader header;
  };

  /// Lists the directory once, and reads every header after news, otherwise those that Refresh
  /// names.
  Status ListOnce();
  void ReadHeaderOf(const std::string& name, uint64_t size, bool again, uint32_t newest,
                    Known* known);
  void NoteUnreadable(SegmentPlace place, const Status& status, bool is_damage);
  uint32_t NewestNumber() const;

  FileSystem* files_;
  std::string directory_;
  std::map<std::string, Known> known_;  ///< what earlier listings found out, by file name
  std::map<EpochKey, CatalogEpoch> epochs_;
  std::map<SegmentPlace, UnreadableFile> unreadable_;
  std::map<SegmentPlace, UnreadableFile> were_unreadable_;  ///< at the listing before
  uint64_t now_ = 0;                                        ///< of the last listing
  /// A file became a segment or another segment or stopped being one, and no listing since then has
  /// confirmed the others.
  bool news_ = false;
};

}  // namespace journal

#endif  // CERTWIRE_CORE_CATALOG_H_
