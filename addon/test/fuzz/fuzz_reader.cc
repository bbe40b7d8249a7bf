// A directory with one segment of arbitrary content after a sound one: the reader ends, stays
// within its memory, never hands out the same id twice, and gives the same each time, whether it
// waits for a MARK or not. The first byte says whether CRCs are made right first, so that the
// fuzzer gets past them.
#include <cstdlib>
#include <set>

#include "coding.h"
#include "support/journal_builder.h"
#include "support/journal_tools.h"

namespace {

constexpr uint64_t kSegmentBytes = 8192;

void Repair(test::MemoryFiles::Content* content, const journal::EpochId& id) {
  using journal::Get;
  using journal::Put;
  uint64_t at = journal::kSegmentHeaderSize;
  while (at + journal::kFrameHeaderSize < content->size()) {
    uint8_t* frame = content->data() + at;
    const uint32_t length = 1 + Get<uint32_t>(frame) % 600;
    if (at + journal::FrameSize(length) > content->size()) return;
    Put(frame, length);
    Put(frame + 8, journal::PayloadCrc(id, frame + journal::kFrameHeaderSize, length));
    Put(frame + 12, uint32_t{2});
    Put(frame + 16, Get<uint64_t>(frame + 16) & 0xc00000000000003f);
    Put(frame + 32, static_cast<uint16_t>(Get<uint16_t>(frame + 32) % 8));
    journal::MoveFrameHeader(frame, {id, 0, at});
    at += journal::FrameSize(length);
  }
}

std::vector<test::Item> Read(test::MemoryFiles* files, uint32_t unmarked_after_ms) {
  auto options = test::ReaderOf(test::kDirectory, journal::ReadMode::kDurable);
  options.file_system = files;
  options.unmarked_after_ms = unmarked_after_ms;
  return test::ReadAll(journal::Reader::Open(options).get());
}

/// Ends the process unless the reader gives the same twice. The least and the longest wait for a
/// MARK make no difference, however much time is between the two.
void CheckReads(test::MemoryFiles* files, uint32_t unmarked_after_ms) {
  const auto items = Read(files, unmarked_after_ms);
  const auto again = Read(files, unmarked_after_ms);
  std::set<std::string> ids;
  if (items.empty() || items[0].payload != test::EventPayload("sound")) abort();
  if (items.size() != again.size()) abort();
  for (size_t i = 0; i < items.size(); ++i) {
    if (!ids.insert(items[i].id()).second || items[i].id() != again[i].id()) abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, test::kDirectory);
  builder.Epoch(1, 1, kSegmentBytes);
  builder.Event("sound");
  // Also where the second segment has no header left and the first epoch is the newest one.
  builder.Mark();
  builder.Epoch(2, 2, kSegmentBytes);
  auto& content = files[builder.path()];
  const size_t start = data[0] % 2 == 0 ? journal::kSegmentHeaderSize : 0;
  const size_t part = std::min(size - 1, content.size() - start);
  std::memcpy(content.data() + start, data + 1, part);
  if (data[0] % 4 == 0) Repair(&content, builder.id());
  if (data[0] % 8 < 4) builder.Epoch(3, 3, kSegmentBytes);
  CheckReads(&files, 0);
  CheckReads(&files, UINT32_MAX);
  return 0;
}
