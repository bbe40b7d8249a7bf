#ifndef CERTWIRE_TEST_SUPPORT_MEMORY_FILES_H_
#define CERTWIRE_TEST_SUPPORT_MEMORY_FILES_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "journal/file.h"

namespace test {

/// A file system in memory, for tests that read many variants of a directory. Thread-safe.
class MemoryFiles final : public journal::FileSystem {
 public:
  using Content = std::vector<uint8_t>;

  journal::Status Open(const char* path, journal::OpenMode mode,
                       std::unique_ptr<journal::File>* file) override;
  journal::Status List(const char* directory, journal::DirectoryVisitor* visitor) override;
  journal::Status Delete(const char* path) override;
  journal::Status MakeDirectory(const char* path) override;
  journal::Status FreeSpace(const char* directory, uint64_t* bytes) override;

  /// Content of a file, made when it is not there. Not for use while others work with it.
  Content& operator[](const std::string& path);
  std::vector<std::string> paths() const;
  /// Size of a file, also while others write it; 0 when it is not there.
  uint64_t size_of(const std::string& path) const;
  uint64_t total_bytes() const;
  void set_free_space(uint64_t bytes) { free_ = bytes; }
  /// From now on free is what the files leave of a volume of this size.
  void set_volume(uint64_t bytes) { volume_ = bytes; }

 private:
  struct Node {
    std::mutex mutex;
    Content content;
    bool locked = false;
  };
  class Handle;

  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Node>> nodes_;
  uint64_t free_ = UINT64_MAX / 2;
  uint64_t volume_ = 0;  ///< 0: `free_` says what is free
};

}  // namespace test

#endif  // CERTWIRE_TEST_SUPPORT_MEMORY_FILES_H_
