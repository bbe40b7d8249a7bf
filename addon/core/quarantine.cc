#include "quarantine.h"

#include <algorithm>
#include <vector>

#include "hex.h"

namespace journal {

void Quarantine::Keep(SegmentScanner* segment, uint64_t from, uint64_t to) {
  if (directory_.empty() || from >= to) return;
  std::vector<uint8_t> bytes;
  const auto size = static_cast<size_t>(std::min<uint64_t>(to - from, kMaxCopy));
  if (!segment->CopyBytes(from, size, &bytes).ok()) return;
  const SegmentHeader& header = segment->header();
  const std::string id = HexOf(header.id);
  // The name is made of the place, so that another scan finds the copy and makes no second one.
  const std::string name = id + "-s" + std::to_string(header.index) + "-" + std::to_string(from);
  const std::string about = "{\"epochNumber\":" + std::to_string(header.epoch) + ",\"epochId\":\"" +
                            id + "\",\"segment\":" + std::to_string(header.index) +
                            ",\"offset\":" + std::to_string(from) +
                            ",\"length\":" + std::to_string(to - from) +
                            ",\"copied\":" + std::to_string(bytes.size()) + "}\n";
  (void)files_->MakeDirectory(directory_.c_str());
  if (Write(name + ".bad", bytes.data(), bytes.size()).ok()) {
    (void)Write(name + ".json", about.data(), about.size());
  }
}

Status Quarantine::Write(const std::string& name, const void* data, size_t size) {
  std::unique_ptr<File> file;
  const std::string path = directory_ + "/" + name;
  const Status status = files_->Open(path.c_str(), OpenMode::kCreateNew, &file);
  return status.ok() ? file->WriteAt(0, data, size) : status;
}

}  // namespace journal
