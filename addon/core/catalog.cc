#include "catalog.h"

#include <algorithm>
#include <utility>

namespace journal {
namespace {

/// A writer that makes segments all the time must not keep the reader listing.
constexpr int kMaxListings = 4;

class Collector final : public DirectoryVisitor {
 public:
  void Visit(const DirectoryEntry& entry) override {
    uint32_t number;
    uint32_t index;
    if (ParseSegmentName(entry.name, &number, &index)) files.emplace_back(entry.name, entry.size);
  }
  std::vector<std::pair<std::string, uint64_t>> files;
};

}  // namespace

uint32_t Catalog::NewestNumber() const {
  return epochs_.empty() ? 0 : epochs_.rbegin()->first.number;
}

Status Catalog::Refresh(uint64_t now) {
  now_ = now;
  // A segment may get its header just after its file was read, and the one after it just before:
  // then the first would seem to be missing. A second listing, begun once the later one is there,
  // finds both. It reads every header again: a new epoch may have come under the names of the one
  // that it replaced.
  Status status = ListOnce();
  for (int listings = 1; listings < kMaxListings && news_ && status.ok(); ++listings) {
    status = ListOnce();
  }
  return status;
}

Status Catalog::ListOnce() {
  Collector listing;
  const Status status = files_->List(directory_.c_str(), &listing);
  if (!status.ok()) return status;
  const bool everything = std::exchange(news_, false);
  // An older copy may be restored over the directory, with other files of the same names and sizes.
  std::sort(listing.files.begin(), listing.files.end());
  // Sizes do not show that: the file that is being written grows all the time.
  const bool changed =
      !std::equal(listing.files.begin(), listing.files.end(), known_.begin(), known_.end(),
                  [](const auto& file, const auto& known) { return file.first == known.first; });
  const uint32_t newest = NewestNumber();
  std::map<std::string, Known> known;
  epochs_.clear();
  were_unreadable_ = std::exchange(unreadable_, {});
  for (const auto& [name, size] : listing.files) {
    const auto found = known_.find(name);
    const Known before = found == known_.end() ? Known() : found->second;
    Known& now = known[name] = before;
    ReadHeaderOf(name, size, everything || changed || name == listing.files.back().first, newest,
                 &now);
    news_ |= now.valid != before.valid || now.header.id != before.header.id;
    if (!now.valid) continue;
    const EpochKey key = {now.header.epoch, now.header.id};
    epochs_[key].emplace(now.header.index, CatalogSegment{name, size, now.header});
  }
  known_ = std::move(known);
  return status;
}

void Catalog::ReadHeaderOf(const std::string& name, uint64_t size, bool again, uint32_t newest,
                           Known* known) {
  uint32_t number = 0;
  uint32_t index = 0;
  ParseSegmentName(name.c_str(), &number, &index);
  // A file of an older epoch gets no header any more; those of the newest may get theirs any time.
  const bool settled = known->size == size && size != 0 && (known->valid || number < newest);
  if (settled && !again && !known->unconfirmed) return;
  std::unique_ptr<File> file;
  uint8_t page[kSegmentHeaderSize];
  size_t read = 0;
  Status status = files_->Open((directory_ + "/" + name).c_str(), OpenMode::kRead, &file);
  const bool is_open = status.ok();
  if (is_open) status = file->ReadAt(0, page, sizeof(page), &read);
  // Deleted since the listing, or while another process has it open: gone.
  if (status.code() == Status::Code::kNotFound) {
    *known = Known();
    return;
  }
  if (!status.ok()) {
    // What it was is better than nothing, but only until it can be read.
    if (!settled) *known = Known();
    known->unconfirmed = true;
    const bool is_damage = is_open && status.code() != Status::Code::kBusy;
    return NoteUnreadable({number, index}, status, is_damage);
  }
  known->unconfirmed = false;
  known->size = size;
  known->valid = DecodeSegmentHeader(page, read, &known->header) && known->header.epoch == number &&
                 known->header.index == index;
}

void Catalog::NoteUnreadable(SegmentPlace place, const Status& status, bool is_damage) {
  const auto before = were_unreadable_.find(place);
  const uint64_t since = before == were_unreadable_.end() ? now_ : before->second.since;
  unreadable_[place] = {place, since, status, is_damage};
}

Status Catalog::ReadWritersEpoch(std::optional<EpochKey>* epoch) const {
  epoch->reset();
  std::unique_ptr<File> file;
  const std::string path = directory_ + "/" + kWriterLockName;
  Status status = files_->Open(path.c_str(), OpenMode::kRead, &file);
  if (status.code() == Status::Code::kNotFound) return Status::Ok();
  // Once more, since a writer may have been writing its name.
  for (int attempt = 0; attempt < 2 && status.ok() && !epoch->has_value(); ++attempt) {
    uint8_t bytes[kLockedEpochSize];
    size_t read = 0;
    EpochKey named;
    status = file->ReadAt(kLockedEpochOffset, bytes, sizeof(bytes), &read);
    if (status.ok() && DecodeLockedEpoch(bytes, read, &named)) *epoch = named;
  }
  return status;
}

std::vector<UnreadableFile> Catalog::Unreadable(SegmentPlace from, SegmentPlace before) const {
  std::vector<UnreadableFile> files;
  for (auto at = unreadable_.lower_bound(from); at != unreadable_.end() && at->first < before;
       ++at) {
    files.push_back(at->second);
  }
  return files;
}

}  // namespace journal
