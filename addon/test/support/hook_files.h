#ifndef CERTWIRE_TEST_SUPPORT_HOOK_FILES_H_
#define CERTWIRE_TEST_SUPPORT_HOOK_FILES_H_

#include <atomic>
#include <functional>
#include <string>

#include "journal/file.h"

namespace test {

enum class Op {
  kOpen,
  kCreate,
  kLock,
  kRead,
  kWrite,
  kFlush,
  kList,
  kDelete,
  kFreeSpace,
  kMakeDirectory
};

/// An operation that is about to happen.
struct Operation {
  Op op;
  std::string path;
  uint64_t number = 0;  ///< from 1, over the whole file system
  uint64_t offset = 0;
  const void* data = nullptr;
  size_t size = 0;
};

/// Calls a function before every operation of another file system. When it returns an error, the
/// operation does not happen and fails with it; it may also sleep, wait, or end the process. Called
/// on the thread of the operation, by several at once.
class HookFiles final : public journal::FileSystem {
 public:
  using Hook = std::function<journal::Status(const Operation&)>;

  HookFiles(journal::FileSystem* base, Hook hook) : base_(base), hook_(std::move(hook)) {}

  journal::Status Open(const char* path, journal::OpenMode mode,
                       std::unique_ptr<journal::File>* file) override;
  journal::Status List(const char* directory, journal::DirectoryVisitor* visitor) override;
  journal::Status Delete(const char* path) override;
  journal::Status MakeDirectory(const char* path) override;
  journal::Status FreeSpace(const char* directory, uint64_t* bytes) override;

  /// Operations so far.
  uint64_t count() const { return count_.load(); }

 private:
  class Handle;
  journal::Status Before(Operation operation);

  journal::FileSystem* base_;
  Hook hook_;
  std::atomic<uint64_t> count_{0};
};

}  // namespace test

#endif  // CERTWIRE_TEST_SUPPORT_HOOK_FILES_H_
