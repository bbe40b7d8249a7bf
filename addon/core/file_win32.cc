#if defined(_WIN32)
#include <windows.h>

#include <new>

#include "journal/file.h"
#include "journal/units.h"

namespace journal {
namespace {

constexpr DWORD kShareAll = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
constexpr DWORD kLargestTransfer = 16 * kMebibyte;
constexpr int kMaxPath = 32768;

Status FromError(const char* what, DWORD error) {
  const int code = static_cast<int>(error);
  switch (error) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
      return Status(Status::Code::kNotFound, what, code);
    case ERROR_FILE_EXISTS:
    case ERROR_ALREADY_EXISTS:
      return Status(Status::Code::kExists, what, code);
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
      return Status(Status::Code::kNoSpace, what, code);
    case ERROR_SHARING_VIOLATION:
    case ERROR_LOCK_VIOLATION:
      return Status(Status::Code::kBusy, what, code);
    default:
      return Status(Status::Code::kIo, what, code);
  }
}

Status FromLastError(const char* what) { return FromError(what, GetLastError()); }

/// True when the last call of this thread failed because the file was deleted while a process has
/// it open. The error code alone is that of missing rights.
bool IsBeingDeleted() {
  constexpr LONG kDeletePending = static_cast<LONG>(0xc0000056);
  const HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
  const FARPROC address = ntdll == nullptr ? nullptr : GetProcAddress(ntdll, "RtlGetLastNtStatus");
  if (address == nullptr) return false;
  using LastStatus = LONG(WINAPI*)();
  return reinterpret_cast<LastStatus>(reinterpret_cast<void*>(address))() == kDeletePending;
}

/// Until the last handle is closed, the name of a deleted file is taken and opens nothing.
Status FromOpenError(OpenMode mode) {
  const DWORD error = GetLastError();
  if (error != ERROR_ACCESS_DENIED || !IsBeingDeleted()) return FromError("cannot open", error);
  const auto code = mode == OpenMode::kRead        ? Status::Code::kNotFound
                    : mode == OpenMode::kCreateNew ? Status::Code::kExists
                                                   : Status::Code::kBusy;
  return Status(code, "the file is being deleted", static_cast<int>(error));
}

/// A UTF-8 path as UTF-16, with an optional suffix.
class WidePath {
 public:
  explicit WidePath(const char* path, const wchar_t* suffix = L"") {
    text_.reset(new (std::nothrow) wchar_t[kMaxPath]);
    if (text_ == nullptr) return;
    const int suffix_size = lstrlenW(suffix);
    const int size = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, text_.get(),
                                         kMaxPath - suffix_size);
    if (size <= 0) {
      text_.reset();
      return;
    }
    for (int i = 0; i <= suffix_size; ++i) text_[static_cast<size_t>(size - 1 + i)] = suffix[i];
  }
  /// Null when the path is not valid UTF-8, too long, or memory is short.
  const wchar_t* get() const { return text_.get(); }

 private:
  std::unique_ptr<wchar_t[]> text_;
};

Status BadPath() { return Status(Status::Code::kInvalid, "bad path", ERROR_INVALID_NAME); }

OVERLAPPED At(uint64_t offset) {
  OVERLAPPED place = {};
  place.Offset = static_cast<DWORD>(offset);
  place.OffsetHigh = static_cast<DWORD>(offset >> 32);
  return place;
}

class Win32File final : public File {
 public:
  explicit Win32File(HANDLE handle) : handle_(handle) {}
  ~Win32File() override {
    if (flushing_ != INVALID_HANDLE_VALUE) CloseHandle(flushing_);
    CloseHandle(handle_);
  }

  Status WriteAt(uint64_t offset, const void* data, size_t size) override {
    const auto* next = static_cast<const uint8_t*>(data);
    while (size > 0) {
      OVERLAPPED place = At(offset);
      const auto part = static_cast<DWORD>(size < kLargestTransfer ? size : kLargestTransfer);
      DWORD written = 0;
      if (!WriteFile(handle_, next, part, &written, &place)) return FromLastError("cannot write");
      next += written;
      offset += written;
      size -= written;
    }
    return Status::Ok();
  }

  Status ReadAt(uint64_t offset, void* data, size_t size, size_t* read) override {
    auto* next = static_cast<uint8_t*>(data);
    *read = 0;
    while (*read < size) {
      OVERLAPPED place = At(offset + *read);
      const size_t rest = size - *read;
      const auto part = static_cast<DWORD>(rest < kLargestTransfer ? rest : kLargestTransfer);
      DWORD got = 0;
      if (!ReadFile(handle_, next + *read, part, &got, &place)) {
        if (GetLastError() == ERROR_HANDLE_EOF) break;
        return FromLastError("cannot read");
      }
      if (got == 0) break;
      *read += got;
    }
    return Status::Ok();
  }

  Status Flush() override {
    // Operations on one synchronous file object wait for each other: with a file object of its own
    // a flush lets writes pass.
    if (flushing_ == INVALID_HANDLE_VALUE) {
      flushing_ = ReOpenFile(handle_, GENERIC_WRITE, kShareAll, 0);
    }
    const HANDLE file = flushing_ == INVALID_HANDLE_VALUE ? handle_ : flushing_;
    return FlushFileBuffers(file) ? Status::Ok() : FromLastError("cannot flush");
  }

  Status TryLock() override {
    OVERLAPPED place = At(0);
    if (LockFileEx(handle_, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &place)) {
      return Status::Ok();
    }
    const DWORD error = GetLastError();
    if (error == ERROR_LOCK_VIOLATION || error == ERROR_IO_PENDING) {
      return Status(Status::Code::kBusy, "locked by another writer", static_cast<int>(error));
    }
    return FromError("cannot lock", error);
  }

 private:
  HANDLE handle_;
  HANDLE flushing_ = INVALID_HANDLE_VALUE;  ///< of the flushing thread
};

class Win32FileSystem final : public FileSystem {
 public:
  Status Open(const char* path, OpenMode mode, std::unique_ptr<File>* file) override {
    const WidePath wide(path);
    if (wide.get() == nullptr) return BadPath();
    const DWORD access = mode == OpenMode::kRead ? GENERIC_READ : GENERIC_READ | GENERIC_WRITE;
    const DWORD disposition = mode == OpenMode::kRead        ? OPEN_EXISTING
                              : mode == OpenMode::kCreateNew ? CREATE_NEW
                                                             : OPEN_ALWAYS;
    // A link planted under the name is opened as such and then holds no journal.
    const DWORD flags = FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT;
    const HANDLE handle =
        CreateFileW(wide.get(), access, kShareAll, nullptr, disposition, flags, nullptr);
    if (handle == INVALID_HANDLE_VALUE) return FromOpenError(mode);
    file->reset(new (std::nothrow) Win32File(handle));
    if (*file != nullptr) return Status::Ok();
    CloseHandle(handle);
    return FromError("out of memory", ERROR_OUTOFMEMORY);
  }

  Status List(const char* directory, DirectoryVisitor* visitor) override {
    const WidePath pattern(directory, L"\\*");
    if (pattern.get() == nullptr) return BadPath();
    WIN32_FIND_DATAW data;
    const HANDLE handle = FindFirstFileW(pattern.get(), &data);
    if (handle == INVALID_HANDLE_VALUE) return FromLastError("cannot list");
    do {
      Visit(data, visitor);
    } while (FindNextFileW(handle, &data));
    const DWORD error = GetLastError();
    FindClose(handle);
    return error == ERROR_NO_MORE_FILES ? Status::Ok() : FromError("cannot list", error);
  }

  Status Delete(const char* path) override {
    const WidePath wide(path);
    if (wide.get() == nullptr) return BadPath();
    if (DeleteFileW(wide.get())) return Status::Ok();
    const DWORD error = GetLastError();
    if (error == ERROR_ACCESS_DENIED && IsBeingDeleted()) return Status::Ok();
    return FromError("cannot delete", error);
  }

  Status MakeDirectory(const char* path) override {
    const WidePath wide(path);
    if (wide.get() == nullptr) return BadPath();
    return CreateDirectoryW(wide.get(), nullptr) ? Status::Ok()
                                                 : FromLastError("cannot make a directory");
  }

  Status FreeSpace(const char* directory, uint64_t* bytes) override {
    const WidePath wide(directory);
    if (wide.get() == nullptr) return BadPath();
    ULARGE_INTEGER available;
    if (!GetDiskFreeSpaceExW(wide.get(), &available, nullptr, nullptr)) {
      return FromLastError("cannot read the free space");
    }
    *bytes = available.QuadPart;
    return Status::Ok();
  }

 private:
  static void Visit(const WIN32_FIND_DATAW& data, DirectoryVisitor* visitor) {
    constexpr DWORD kNotPlain = FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT;
    if ((data.dwFileAttributes & kNotPlain) != 0) return;
    char name[MAX_PATH * 3];
    if (WideCharToMultiByte(CP_UTF8, 0, data.cFileName, -1, name, sizeof(name), nullptr, nullptr) ==
        0) {
      return;
    }
    visitor->Visit({name, static_cast<uint64_t>(data.nFileSizeHigh) << 32 | data.nFileSizeLow});
  }
};

}  // namespace

FileSystem* DefaultFileSystem() {
  // In static memory and never destroyed: threads may use it until the process ends.
  alignas(Win32FileSystem) static unsigned char memory[sizeof(Win32FileSystem)];
  static Win32FileSystem* const instance = new (memory) Win32FileSystem;
  return instance;
}

}  // namespace journal
#endif
