#if !defined(_WIN32)
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <new>

#include "journal/file.h"

namespace journal {
namespace {

constexpr mode_t kFileMode = 0640;
constexpr mode_t kDirectoryMode = 0750;

Status FromErrno(const char* what) {
  const int error = errno;
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return Status(Status::Code::kNotFound, what, error);
    case EEXIST:
      return Status(Status::Code::kExists, what, error);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return Status(Status::Code::kNoSpace, what, error);
    default:
      return Status(Status::Code::kIo, what, error);
  }
}

class PosixFile final : public File {
 public:
  explicit PosixFile(int descriptor) : descriptor_(descriptor) {}
  ~PosixFile() override { close(descriptor_); }

  Status WriteAt(uint64_t offset, const void* data, size_t size) override {
    const auto* next = static_cast<const uint8_t*>(data);
    while (size > 0) {
      const ssize_t written = pwrite(descriptor_, next, size, static_cast<off_t>(offset));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return FromErrno("cannot write");
      next += written;
      offset += static_cast<uint64_t>(written);
      size -= static_cast<size_t>(written);
    }
    return Status::Ok();
  }

  Status ReadAt(uint64_t offset, void* data, size_t size, size_t* read) override {
    auto* next = static_cast<uint8_t*>(data);
    *read = 0;
    while (*read < size) {
      const ssize_t got =
          pread(descriptor_, next + *read, size - *read, static_cast<off_t>(offset + *read));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return FromErrno("cannot read");
      if (got == 0) break;
      *read += static_cast<size_t>(got);
    }
    return Status::Ok();
  }

  Status Flush() override {
    return fdatasync(descriptor_) == 0 ? Status::Ok() : FromErrno("cannot flush");
  }

  Status TryLock() override {
    if (flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return Status::Ok();
    if (errno == EWOULDBLOCK) return Status(Status::Code::kBusy, "locked by another writer", errno);
    return FromErrno("cannot lock");
  }

 private:
  int descriptor_;
};

/// The existence of a new file is durable only when its directory was flushed.
void FlushParent(const char* path) {
  char parent[4096];
  size_t length = 0;
  for (size_t i = 0; path[i] != '\0'; ++i) {
    if (i == sizeof(parent) - 1) return;
    parent[i] = path[i];
    if (path[i] == '/') length = i;
  }
  parent[length] = '\0';
  const int descriptor = open(length == 0 ? "." : parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  fsync(descriptor);
  close(descriptor);
}

class PosixFileSystem final : public FileSystem {
 public:
  Status Open(const char* path, OpenMode mode, std::unique_ptr<File>* file) override {
    int flags = O_CLOEXEC | O_NOFOLLOW;
    flags |= mode == OpenMode::kRead ? O_RDONLY : O_RDWR | O_CREAT;
    if (mode == OpenMode::kCreateNew) flags |= O_EXCL;
    const int descriptor = open(path, flags, kFileMode);
    if (descriptor < 0) return FromErrno("cannot open");
    file->reset(new (std::nothrow) PosixFile(descriptor));
    if (*file == nullptr) {
      close(descriptor);
      return Status(Status::Code::kIo, "out of memory", ENOMEM);
    }
    if (mode == OpenMode::kCreateNew) FlushParent(path);
    return Status::Ok();
  }

  Status List(const char* directory, DirectoryVisitor* visitor) override {
    DIR* stream = opendir(directory);
    if (stream == nullptr) return FromErrno("cannot list");
    errno = 0;
    while (const dirent* entry = readdir(stream)) {
      struct stat info;
      if (fstatat(dirfd(stream), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
          S_ISREG(info.st_mode)) {
        visitor->Visit({entry->d_name, static_cast<uint64_t>(info.st_size)});
      }
      errno = 0;
    }
    const Status status = errno == 0 ? Status::Ok() : FromErrno("cannot list");
    closedir(stream);
    return status;
  }

  Status Delete(const char* path) override {
    return unlink(path) == 0 ? Status::Ok() : FromErrno("cannot delete");
  }

  Status MakeDirectory(const char* path) override {
    return mkdir(path, kDirectoryMode) == 0 ? Status::Ok() : FromErrno("cannot make a directory");
  }

  Status FreeSpace(const char* directory, uint64_t* bytes) override {
    struct statvfs info;
    if (statvfs(directory, &info) != 0) return FromErrno("cannot read the free space");
    *bytes = static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
    return Status::Ok();
  }
};

}  // namespace

FileSystem* DefaultFileSystem() {
  // In static memory and never destroyed: threads may use it until the process ends.
  alignas(PosixFileSystem) static unsigned char memory[sizeof(PosixFileSystem)];
  static PosixFileSystem* const instance = new (memory) PosixFileSystem;
  return instance;
}

}  // namespace journal
#endif
