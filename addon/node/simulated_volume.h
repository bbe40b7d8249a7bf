#ifndef CERTWIRE_NODE_SIMULATED_VOLUME_H_
#define CERTWIRE_NODE_SIMULATED_VOLUME_H_

#include <cstdint>
#include <memory>

#include "journal/file.h"

namespace binding {

/// The operating system's files, with the free space of a volume that holds nothing but the
/// journal.
class SimulatedVolume final : public journal::FileSystem {
 public:
  /// `bytes`: size of the volume; 0: that of the real one.
  explicit SimulatedVolume(uint64_t bytes) : bytes_(bytes) {}

  journal::Status Open(const char* path, journal::OpenMode mode,
                       std::unique_ptr<journal::File>* file) override {
    return files_->Open(path, mode, file);
  }
  journal::Status List(const char* directory, journal::DirectoryVisitor* visitor) override {
    return files_->List(directory, visitor);
  }
  journal::Status Delete(const char* path) override { return files_->Delete(path); }
  journal::Status MakeDirectory(const char* path) override { return files_->MakeDirectory(path); }
  journal::Status FreeSpace(const char* directory, uint64_t* bytes) override;

 private:
  journal::FileSystem* const files_ = journal::DefaultFileSystem();
  const uint64_t bytes_;
};

}  // namespace binding

#endif  // CERTWIRE_NODE_SIMULATED_VOLUME_H_
