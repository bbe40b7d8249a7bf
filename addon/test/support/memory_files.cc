#include "support/memory_files.h"

#include <algorithm>
#include <cstring>

using journal::OpenMode;
using journal::Status;

namespace test {

class MemoryFiles::Handle final : public journal::File {
 public:
  explicit Handle(std::shared_ptr<Node> node) : node_(std::move(node)) {}
  ~Handle() override {
    const std::lock_guard guard(node_->mutex);
    if (owns_lock_) node_->locked = false;
  }

  Status WriteAt(uint64_t offset, const void* data, size_t size) override {
    const std::lock_guard guard(node_->mutex);
    Content& content = node_->content;
    if (content.size() < offset + size) content.resize(offset + size);
    std::memcpy(content.data() + offset, data, size);
    return Status::Ok();
  }

  Status ReadAt(uint64_t offset, void* data, size_t size, size_t* read) override {
    const std::lock_guard guard(node_->mutex);
    const Content& content = node_->content;
    *read = offset >= content.size() ? 0 : std::min<size_t>(size, content.size() - offset);
    if (*read != 0) std::memcpy(data, content.data() + offset, *read);
    return Status::Ok();
  }

  Status Flush() override { return Status::Ok(); }

  Status TryLock() override {
    const std::lock_guard guard(node_->mutex);
    if (node_->locked && !owns_lock_) return Status(Status::Code::kBusy, "locked");
    node_->locked = owns_lock_ = true;
    return Status::Ok();
  }

 private:
  std::shared_ptr<Node> node_;
  bool owns_lock_ = false;
};

Status MemoryFiles::Open(const char* path, OpenMode mode, std::unique_ptr<journal::File>* file) {
  const std::lock_guard guard(mutex_);
  const auto found = nodes_.find(path);
  if (found == nodes_.end() && mode == OpenMode::kRead) {
    return Status(Status::Code::kNotFound, "no such file");
  }
  if (found != nodes_.end() && mode == OpenMode::kCreateNew) {
    return Status(Status::Code::kExists, "the file exists");
  }
  auto& node = nodes_[path];
  if (node == nullptr) node = std::make_shared<Node>();
  *file = std::make_unique<Handle>(node);
  return Status::Ok();
}

Status MemoryFiles::List(const char* directory, journal::DirectoryVisitor* visitor) {
  const std::lock_guard guard(mutex_);
  const std::string prefix = std::string(directory) + "/";
  for (const auto& [path, node] : nodes_) {
    if (!path.starts_with(prefix)) continue;
    const std::lock_guard node_guard(node->mutex);
    visitor->Visit({path.c_str() + prefix.size(), node->content.size()});
  }
  return Status::Ok();
}

Status MemoryFiles::Delete(const char* path) {
  const std::lock_guard guard(mutex_);
  return nodes_.erase(path) == 1 ? Status::Ok() : Status(Status::Code::kNotFound, "no such file");
}

Status MemoryFiles::MakeDirectory(const char*) { return Status::Ok(); }

Status MemoryFiles::FreeSpace(const char*, uint64_t* bytes) {
  const uint64_t used = volume_ == 0 ? 0 : total_bytes();
  *bytes = volume_ == 0 ? free_ : volume_ - std::min(volume_, used);
  return Status::Ok();
}

MemoryFiles::Content& MemoryFiles::operator[](const std::string& path) {
  const std::lock_guard guard(mutex_);
  auto& node = nodes_[path];
  if (node == nullptr) node = std::make_shared<Node>();
  return node->content;
}

uint64_t MemoryFiles::size_of(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto found = nodes_.find(path);
  if (found == nodes_.end()) return 0;
  const std::lock_guard node_lock(found->second->mutex);
  return found->second->content.size();
}

uint64_t MemoryFiles::total_bytes() const {
  const std::lock_guard guard(mutex_);
  uint64_t bytes = 0;
  for (const auto& [path, node] : nodes_) {
    const std::lock_guard node_guard(node->mutex);
    bytes += node->content.size();
  }
  return bytes;
}

std::vector<std::string> MemoryFiles::paths() const {
  const std::lock_guard guard(mutex_);
  std::vector<std::string> paths;
  for (const auto& [path, node] : nodes_) paths.push_back(path);
  return paths;
}

}  // namespace test
