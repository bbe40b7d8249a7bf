#include "simulated_volume.h"

namespace binding {
namespace {

class Sum final : public journal::DirectoryVisitor {
 public:
  void Visit(const journal::DirectoryEntry& entry) override { bytes += entry.size; }
  uint64_t bytes = 0;
};

}  // namespace

journal::Status SimulatedVolume::FreeSpace(const char* directory, uint64_t* bytes) {
  if (bytes_ == 0) return files_->FreeSpace(directory, bytes);
  Sum used;
  const journal::Status status = files_->List(directory, &used);
  *bytes = used.bytes < bytes_ ? bytes_ - used.bytes : 0;
  return status;
}

}  // namespace binding
