#ifndef CERTWIRE_JOURNAL_FILE_H_
#define CERTWIRE_JOURNAL_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "journal/status.h"

namespace journal {

/// An open file. Reads and writes name their offset, so threads need no common file pointer. Closed
/// by the destructor.
class File {
 public:
  virtual ~File() = default;
  /// Writes all of `data`; after a failure any part of it may have been written.
  virtual Status WriteAt(uint64_t offset, const void* data, size_t size) = 0;
  /// Reads up to `size` bytes; fewer only at the end of the file.
  virtual Status ReadAt(uint64_t offset, void* data, size_t size, size_t* read) = 0;
  /// Returns when everything written before is on stable storage. By one thread at a time.
  virtual Status Flush() = 0;
  /// Takes the exclusive lock of the file without waiting; kBusy when another process has it. The
  /// lock ends with the handle or the process.
  virtual Status TryLock() = 0;
};

enum class OpenMode : uint8_t {
  kRead,
  kCreateNew,     ///< read and write; kExists when the name is taken
  kOpenOrCreate,  ///< read and write, existing content stays
};

/// One file of a directory listing.
struct DirectoryEntry {
  const char* name;  ///< UTF-8, without the directory; valid during the visit only
  uint64_t size;
};

/// Called for every file of a directory.
class DirectoryVisitor {
 public:
  virtual void Visit(const DirectoryEntry& entry) = 0;

 protected:
  ~DirectoryVisitor() = default;
};

/// Every operation on files goes through this seam, so that tests can make the n-th one fail, be
/// slow, block forever, or be the last before a kill. Paths are UTF-8. Thread-safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Status Open(const char* path, OpenMode mode, std::unique_ptr<File>* file) = 0;
  /// Visits the plain files of a directory in no particular order.
  virtual Status List(const char* directory, DirectoryVisitor* visitor) = 0;
  virtual Status Delete(const char* path) = 0;
  virtual Status MakeDirectory(const char* path) = 0;
  /// Bytes that the process may still use on the volume of `directory`.
  virtual Status FreeSpace(const char* directory, uint64_t* bytes) = 0;
};

/// The operating system's files.
FileSystem* DefaultFileSystem();

}  // namespace journal

#endif  // CERTWIRE_JOURNAL_FILE_H_
