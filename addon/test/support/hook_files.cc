#include "support/hook_files.h"

using journal::OpenMode;
using journal::Status;

namespace test {

class HookFiles::Handle final : public journal::File {
 public:
  Handle(HookFiles* files, std::string path, std::unique_ptr<journal::File> base)
      : files_(files), path_(std::move(path)), base_(std::move(base)) {}

  Status WriteAt(uint64_t offset, const void* data, size_t size) override {
    const Status status = files_->Before({Op::kWrite, path_, 0, offset, data, size});
    return status.ok() ? base_->WriteAt(offset, data, size) : status;
  }
  Status ReadAt(uint64_t offset, void* data, size_t size, size_t* read) override {
    const Status status = files_->Before({Op::kRead, path_, 0, offset, nullptr, size});
    return status.ok() ? base_->ReadAt(offset, data, size, read) : status;
  }
  Status Flush() override {
    const Status status = files_->Before({Op::kFlush, path_, 0, 0, nullptr, 0});
    return status.ok() ? base_->Flush() : status;
  }
  Status TryLock() override {
    const Status status = files_->Before({Op::kLock, path_, 0, 0, nullptr, 0});
    return status.ok() ? base_->TryLock() : status;
  }

 private:
  HookFiles* files_;
  std::string path_;
  std::unique_ptr<journal::File> base_;
};

Status HookFiles::Before(Operation operation) {
  operation.number = ++count_;
  return hook_(operation);
}

Status HookFiles::Open(const char* path, OpenMode mode, std::unique_ptr<journal::File>* file) {
  const Op op = mode == OpenMode::kCreateNew ? Op::kCreate : Op::kOpen;
  Status status = Before({op, path, 0, 0, nullptr, 0});
  if (!status.ok()) return status;
  std::unique_ptr<journal::File> base;
  status = base_->Open(path, mode, &base);
  if (status.ok()) *file = std::make_unique<Handle>(this, path, std::move(base));
  return status;
}

Status HookFiles::List(const char* directory, journal::DirectoryVisitor* visitor) {
  const Status status = Before({Op::kList, directory, 0, 0, nullptr, 0});
  return status.ok() ? base_->List(directory, visitor) : status;
}

Status HookFiles::Delete(const char* path) {
  const Status status = Before({Op::kDelete, path, 0, 0, nullptr, 0});
  return status.ok() ? base_->Delete(path) : status;
}

Status HookFiles::MakeDirectory(const char* path) {
  const Status status = Before({Op::kMakeDirectory, path, 0, 0, nullptr, 0});
  return status.ok() ? base_->MakeDirectory(path) : status;
}

Status HookFiles::FreeSpace(const char* directory, uint64_t* bytes) {
  const Status status = Before({Op::kFreeSpace, directory, 0, 0, nullptr, 0});
  return status.ok() ? base_->FreeSpace(directory, bytes) : status;
}

}  // namespace test
