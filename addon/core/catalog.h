#ifndef CERTWIRE_CORE_CATALOG_H_
#define CERTWIRE_CORE_CATALOG_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "journal/file.h"
#include "segment.h"

namespace journal {

/// Identity of an epoch; the order is the order of reading.
struct EpochKey {
  uint32_t number = 0;
  EpochId id;
  auto operator<=>(const EpochKey&) const = default;
};

/// A segment with a valid header.
struct CatalogSegment {
  std::string name;
  uint64_t file_size = 0;
  SegmentHeader header;
};

/// Segments of an epoch by index.
using CatalogEpoch = std::map<uint32_t, CatalogSegment>;

/// The segments of a journal directory. Names alone mean nothing: a file counts with a valid header
/// only.
class Catalog {
 public:
  Catalog(FileSystem* files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}

  /// Lists the directory again; reads headers of new files only.
  Status Refresh();
  const std::map<EpochKey, CatalogEpoch>& epochs() const { return epochs_; }
  std::string PathOf(const CatalogSegment& segment) const {
    return directory_ + "/" + segment.name;
  }
  /// True when a file of the epoch number and at least this index, or of a number between this and
  /// `before`, exists but could not be opened or read just now.
  bool HasUnreadable(uint32_t number, uint32_t from_index, uint32_t before) const;

 private:
  struct Known {
    uint64_t size = 0;
    bool valid = false;
    SegmentHeader header;
  };
  struct Unreadable {
    uint32_t number;
    uint32_t index;
  };

  void Examine(const std::string& name, uint64_t size, uint32_t newest, Known* known);
  uint32_t NewestNumber() const;

  FileSystem* files_;
  std::string directory_;
  std::map<std::string, Known> known_;  ///< what earlier listings found out, by file name
  std::map<EpochKey, CatalogEpoch> epochs_;
  std::vector<Unreadable> unreadable_;
};

}  // namespace journal

#endif  // CERTWIRE_CORE_CATALOG_H_
