#include "journal/writer_beat.h"

#include <cstring>
#include <memory>

#include "journal/file.h"
#include "writer_lock.h"

namespace journal {
namespace {

/// A reader may come between two writers, or see a write halfway.
constexpr int kReadAttempts = 3;

/// The newer of two slots; false when they are of two writers, as while the first beat is written.
bool ChooseBeat(const uint8_t slots[kBeatsSize], std::optional<WriterBeat>* beat) {
  WriterBeat first;
  WriterBeat second;
  const uint8_t* other = slots + kBeatSlotSize;
  const bool has_first = DecodeBeat(slots, &first);
  const bool has_second = DecodeBeat(other, &second);
  if (!has_first && !has_second) return false;
  const bool is_second = has_second && (!has_first || second.number > first.number);
  *beat = is_second ? second : first;
  return !has_first || !has_second || std::memcmp(slots, other, kEpochIdSize) == 0;
}

}  // namespace

Status ReadWriterBeat(FileSystem* files, const std::string& directory,
                      std::optional<WriterBeat>* beat) {
  beat->reset();
  std::unique_ptr<File> file;
  Status status = files->Open((directory + "/" + kWriterLockName).c_str(), OpenMode::kRead, &file);
  if (status.code() == Status::Code::kNotFound) return Status::Ok();
  for (int attempt = 0; attempt < kReadAttempts && status.ok(); ++attempt) {
    uint8_t slots[kBeatsSize] = {};
    size_t read = 0;
    status = file->ReadAt(kBeatsOffset, slots, sizeof(slots), &read);
    if (status.ok() && ChooseBeat(slots, beat)) break;
  }
  return status;
}

}  // namespace journal
