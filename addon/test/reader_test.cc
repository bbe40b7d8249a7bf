#include <doctest/doctest.h>

#include <map>
#include <thread>

#include "catalog.h"
#include "epoch_view.h"
#include "journal/segment_list.h"
#include "journal/units.h"
#include "platform.h"
#include "support/hook_files.h"
#include "support/journal_builder.h"
#include "support/journal_tools.h"
#include "support/wait.h"
#include "writer_lock.h"

using journal::ReadMode;
using test::kDirectory;

namespace {

constexpr uint64_t kSegmentBytes = 8192;
/// Longer than any test runs.
constexpr uint32_t kNeverMs = 24 * 3600 * 1000;

std::unique_ptr<journal::Reader> Open(journal::FileSystem* files, ReadMode mode,
                                      const journal::Position* position = nullptr,
                                      uint32_t unmarked_after_ms = 100) {
  auto options = test::ReaderOf(kDirectory, mode);
  options.file_system = files;
  options.unmarked_after_ms = unmarked_after_ms;
  options.has_position = position != nullptr;
  if (position != nullptr) options.position = *position;
  return journal::Reader::Open(options);
}

}  // namespace

bool OpensLockFile(const test::Operation& operation) {
  return operation.op == test::Op::kOpen && operation.path.ends_with(journal::kWriterLockName);
}

/// Everything that a reader hands out until it is at the end.
std::vector<test::Item> ReadToEnd(journal::Reader* reader) {
  std::vector<test::Item> all;
  journal::Batch batch;
  REQUIRE(test::WaitUntil([&] {
    REQUIRE(reader->Read(&batch).ok());
    for (auto& item : test::ItemsOf(batch)) all.push_back(std::move(item));
    return reader->AtEnd();
  }));
  return all;
}

/// Refuses to open a file while `held` is true, as when another process has it open. If `path` is
/// empty, refuses every file.
test::HookFiles::Hook Holding(const bool* held, const std::string& path = "") {
  return [=](const test::Operation& operation) {
    const bool is_meant = path.empty() || operation.path == path;
    return *held && is_meant && operation.op == test::Op::kOpen
               ? journal::Status(journal::Status::Code::kBusy, "cannot open", 32)
               : journal::Status::Ok();
  };
}

TEST_CASE("a durable reader holds back what no MARK covers, for a while") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(1, 1, kSegmentBytes);
  builder.Event("marked");
  builder.Mark();
  builder.Event("not marked");
  auto patient = Open(&files, ReadMode::kDurable, nullptr, kNeverMs);
  CHECK(test::ReadAll(patient.get()).size() == 1);
  CHECK(patient->AtEnd());
  CHECK(test::ReadAll(patient.get()).empty());
  auto impatient = Open(&files, ReadMode::kDurable, nullptr, 1);
  const auto late =
      test::ReadUntil(impatient.get(), [](const auto& items) { return items.size() >= 2; });
  CHECK(late.size() == 2);
  CHECK(impatient->Stats().unmarked_frames == 1);
}

TEST_CASE(
    "a segment that is held or gone when it is opened is neither an error nor the end but is tried "
    "again") {
  for (const auto code : {journal::Status::Code::kBusy, journal::Status::Code::kNotFound}) {
    test::MemoryFiles files;
    test::JournalBuilder builder(&files, kDirectory);
    builder.Epoch(1, 1, kSegmentBytes);
    builder.Event("one");
    builder.Epoch(2, 2, kSegmentBytes);
    builder.Event("two");
    constexpr int kOpensByListings = 2 * 2;  // both segments, in each of the catalog's two listings
    // The first segment once; the second once for the epoch before it and once for its frames.
    constexpr int kOpensByReader = 1 + 2;
    for (int nth = 1; nth <= kOpensByReader; ++nth) {
      const int failing = kOpensByListings + nth;
      CAPTURE(failing);
      int opens = 0;
      test::HookFiles hooked(&files, [&](const test::Operation& operation) {
        if (operation.op != test::Op::kOpen || ++opens != failing) return journal::Status::Ok();
        return journal::Status(code, "cannot open", 32);
      });
      auto reader = Open(&hooked, ReadMode::kCommitted);
      CHECK_FALSE(reader->AtEnd());
      journal::Batch batch;
      std::vector<std::string> texts;
      // The read that fails, the one after it, and one that finds nothing.
      for (int i = 0; i < 3; ++i) {
        REQUIRE(reader->Read(&batch).ok());
        for (const auto& text : test::EventTexts(test::ItemsOf(batch))) texts.push_back(text);
        CHECK(reader->AtEnd() == (batch.entries.empty() && texts.size() == 2));
      }
      CHECK(reader->AtEnd());
      CHECK(opens > failing);
      CHECK(texts.size() == 2);
    }
  }
}

TEST_CASE("a reader is not at the end while the header of the next segment cannot be read") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(1, 1, kSegmentBytes);
  builder.Event("one");
  builder.Epoch(2, 2, kSegmentBytes);
  builder.Event("two");
  bool held = true;
  test::HookFiles hooked(&files, Holding(&held, builder.path()));
  auto reader = Open(&hooked, ReadMode::kCommitted);
  CHECK(test::EventTexts(test::ReadAll(reader.get())).size() == 1);
  CHECK_FALSE(reader->AtEnd());
  held = false;
  CHECK(test::EventTexts(test::ReadAll(reader.get())).size() == 1);
  CHECK(reader->AtEnd());
}

TEST_CASE("whichever operation finds a file held, what is read to the end is the same") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(1, 1, kSegmentBytes);
  builder.Event("one");
  builder.Epoch(2, 2, kSegmentBytes);
  const uint64_t damaged = builder.offset();
  builder.Event("two");
  builder.Event("three");
  files[builder.path()][damaged + journal::kFrameHeaderSize] ^= 1;
  const auto expected = ReadToEnd(Open(&files, ReadMode::kCommitted).get());
  REQUIRE(test::EventTexts(expected) ==
          std::vector{test::EventPayload("one"), test::EventPayload("three")});
  uint64_t reads = 0;
  for (uint64_t failing = 1; failing <= reads + 1; ++failing) {
    CAPTURE(failing);
    reads = 0;
    test::HookFiles hooked(&files, [&](const test::Operation& operation) {
      const bool is_read = operation.op == test::Op::kOpen || operation.op == test::Op::kRead;
      return is_read && ++reads == failing
                 ? journal::Status(journal::Status::Code::kBusy, "held", 32)
                 : journal::Status::Ok();
    });
    const auto items = ReadToEnd(Open(&hooked, ReadMode::kCommitted).get());
    CHECK(test::EventTexts(items) == test::EventTexts(expected));
    CHECK(items.size() == expected.size());
  }
}

TEST_CASE("a reader whose epoch is gone is not at the end while an older one that came is held") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(3, 3, kSegmentBytes);
  builder.Event("lost");
  const std::string lost = builder.path();
  bool held = false;
  test::HookFiles hooked(&files, Holding(&held));
  auto reader = Open(&hooked, ReadMode::kCommitted);
  CHECK(ReadToEnd(reader.get()).size() == 1);
  REQUIRE(files.Delete(lost.c_str()).ok());
  test::JournalBuilder older(&files, kDirectory);
  older.Epoch(2, 2, kSegmentBytes);
  older.Event("restored");
  held = true;
  CHECK(test::ReadAll(reader.get()).empty());
  CHECK_FALSE(reader->AtEnd());
  held = false;
  const auto texts = test::EventTexts(ReadToEnd(reader.get()));
  CHECK(texts == std::vector{test::EventPayload("restored")});
}

TEST_CASE("a reader of an empty directory is at the end") {
  test::MemoryFiles files;
  auto reader = Open(&files, ReadMode::kCommitted);
  CHECK(test::ReadAll(reader.get()).empty());
  CHECK(reader->AtEnd());
}

TEST_CASE("a durable reader hands out nothing unmarked while it cannot see the epoch") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(1, 1, kSegmentBytes);
  builder.Event("marked");
  builder.Mark();
  builder.Event("not marked");
  bool held = false;
  test::HookFiles hooked(&files, Holding(&held));
  auto options = test::ReaderOf(kDirectory, ReadMode::kDurable);
  options.file_system = &hooked;
  options.unmarked_after_ms = kNeverMs;
  auto reader = journal::Reader::Open(options);
  CHECK(test::ReadAll(reader.get()).size() == 1);
  held = true;
  files[builder.path()].push_back(0);
  CHECK(test::ReadAll(reader.get()).empty());
  CHECK(test::ReadAll(reader.get()).empty());
  held = false;
  CHECK(test::ReadAll(reader.get()).empty());
  builder.Mark();
  const auto items = test::ReadAll(reader.get());
  REQUIRE(items.size() == 1);
  CHECK_FALSE(items[0].is_gap());
  CHECK_FALSE(reader->Stats().position_lost);
}

TEST_CASE("a segment that grows costs no read of the others") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  for (uint32_t epoch = 1; epoch <= 10; ++epoch) builder.Epoch(epoch, 1, kSegmentBytes);
  int opens = 0;
  test::HookFiles hooked(&files, [&](const test::Operation& operation) {
    opens += operation.op == test::Op::kOpen;
    return journal::Status::Ok();
  });
  auto reader = Open(&hooked, ReadMode::kCommitted);
  test::ReadAll(reader.get());
  opens = 0;
  files[builder.path()].push_back(0);
  test::ReadAll(reader.get());
  CHECK(opens == 1);
}

TEST_CASE("a reader that waits lists the directory only now and then") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(1, 1, kSegmentBytes);
  builder.Event("one");
  int lists = 0;
  test::HookFiles hooked(&files, [&](const test::Operation& operation) {
    lists += operation.op == test::Op::kList;
    return journal::Status::Ok();
  });
  auto options = test::ReaderOf(kDirectory, ReadMode::kCommitted);
  options.file_system = &hooked;
  options.relist_ms = kNeverMs;
  auto reader = journal::Reader::Open(options);
  CHECK(test::ReadAll(reader.get()).size() == 1);
  CHECK(test::ReadAll(reader.get()).empty());
  lists = 0;
  for (int i = 0; i < 10; ++i) CHECK(test::ReadAll(reader.get()).empty());
  CHECK(lists == 0);
  builder.Event("two");
  CHECK(test::ReadAll(reader.get()).size() == 1);
  CHECK(lists == 1);
}

TEST_CASE("a batch keeps to its limits, and a larger frame is handed out alone") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(1, 1, journal::kMebibyte);
  for (int i = 0; i < 10; ++i) builder.Event(std::string(1000, 'a'));
  builder.Event(std::string(20000, 'b'));
  builder.Event("c");
  auto options = test::ReaderOf(kDirectory, ReadMode::kCommitted);
  options.file_system = &files;
  options.max_batch_bytes = 4000;
  options.max_batch_frames = 3;
  auto reader = journal::Reader::Open(options);
  journal::Batch batch;
  std::vector<size_t> sizes;
  do {
    REQUIRE(reader->Read(&batch).ok());
    sizes.push_back(batch.entries.size());
  } while (!batch.entries.empty());
  CHECK(sizes == std::vector<size_t>{3, 3, 3, 1, 1, 1, 0});
}

TEST_CASE(
    "a live reader waits at half a frame and goes past damage only when a later frame is there") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(1, 1, kSegmentBytes);
  builder.Event("one");
  const uint64_t at = builder.offset();
  builder.Event("two");
  auto& content = files[builder.path()];
  content[at + 45] ^= 1;
  auto reader = Open(&files, ReadMode::kCommitted);
  CHECK(test::ReadAll(reader.get()).size() == 1);
  content[at + 45] ^= 1;
  CHECK(test::ReadAll(reader.get()).size() == 1);
  const uint64_t damaged = builder.offset();
  builder.Event("three");
  files[builder.path()][damaged] ^= 1;
  CHECK(test::ReadAll(reader.get()).empty());
  builder.Event("four");
  const auto items = test::ReadUntil(reader.get(), [](const auto& all) { return all.size() == 2; });
  REQUIRE(items.size() == 2);
  CHECK(test::ReasonOf(items[0]) == "corrupt");
  CHECK(test::NumberOf(items[0], "firstSequence") == 4);
  CHECK(items[1].payload == test::EventPayload("four"));
}

TEST_CASE("damage is copied to the quarantine once, and no segment is ever written") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(1, 1, kSegmentBytes);
  const uint64_t at = builder.offset();
  builder.Event("one");
  const uint64_t behind = builder.offset();
  builder.Event("two");
  files[builder.path()][at + 45] ^= 1;
  builder.Epoch(2, 2, kSegmentBytes);
  size_t changes = 0;
  test::HookFiles hooked(&files, [&](const test::Operation& operation) {
    const bool change = operation.op == test::Op::kWrite || operation.op == test::Op::kCreate ||
                        operation.op == test::Op::kDelete;
    changes += change && operation.path.ends_with(".cej");
    return journal::Status::Ok();
  });
  for (int scan = 0; scan < 2; ++scan) {
    auto options = test::ReaderOf(kDirectory, ReadMode::kCommitted);
    options.file_system = &hooked;
    options.quarantine_directory = "quarantine";
    auto reader = journal::Reader::Open(options);
    CHECK(test::ReadAll(reader.get()).size() == 3);
    CHECK(reader->Stats().quarantined_ranges == 1);
  }
  CHECK(changes == 0);
  std::string id;
  for (int i = 0; i < 16; ++i) id += "01";
  const std::string copy = "quarantine/" + id + "-s0-" + std::to_string(at);
  CHECK(files[copy + ".bad"].size() == behind - at);
  const auto& about = files[copy + ".json"];
  CHECK(std::string(about.begin(), about.end()).find("\"segment\":0") != std::string::npos);
}

TEST_CASE("a damaged MARK after a hole in the numbers is one damaged range") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(1, 1, kSegmentBytes);
  builder.Event("one");
  const auto damage_next = [&](const auto& add) {
    const uint64_t payload = builder.offset() + journal::kFrameHeaderSize;
    add();
    files[builder.path()][payload] ^= 1;
  };
  damage_next([&] { builder.Event("two"); });
  damage_next([&] { builder.Mark(); });
  builder.Event("three");
  builder.Seal();
  builder.Epoch(2, 2, kSegmentBytes);
  auto reader = Open(&files, ReadMode::kCommitted);
  const auto items = test::ReadAll(reader.get());
  REQUIRE(items.size() == 3);
  CHECK(test::ReasonOf(items[1]) == "corrupt");
  CHECK(reader->Stats().damaged_ranges == 2);
}

TEST_CASE("planted files change nothing for the reader, nor for the next writer") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(5, 5, 64 * journal::kKibibyte);
  builder.Event("one");
  builder.Seal();
  files[kDirectory + "/e4294967295-s000000.cej"].assign(5000, 0xff);
  files[kDirectory + "/e0000000006-s000000.cej"].assign(5000, 0);
  files[kDirectory + "/e0000004000-s000000.cej"].assign(1, 0);
  test::HookFiles hooked(&files, [](const test::Operation& operation) {
    const bool denied =
        operation.op == test::Op::kOpen && operation.path.find("e0000004000") != std::string::npos;
    return denied ? journal::Status(journal::Status::Code::kIo, "denied", 13)
                  : journal::Status::Ok();
  });
  auto reader = Open(&hooked, ReadMode::kCommitted);
  CHECK(test::ReadAll(reader.get()).size() == 1);
  auto options = test::SmallOptions(kDirectory);
  options.file_system = &hooked;
  auto writer = test::StartWriter(options);
  test::AppendText(writer.get(), "two");
  REQUIRE(writer->Shutdown(test::kPatienceMs));
  CHECK(writer->Stats().epoch == 7);
  const auto items = test::ReadAll(reader.get());
  REQUIRE(items.size() == 1);
  CHECK(items[0].payload == "two");
}

TEST_CASE(
    "segments with a higher number, copied into a running journal, lead no reader away from it") {
  test::MemoryFiles files;
  auto options = test::SmallOptions(kDirectory);
  options.file_system = &files;
  auto writer = test::StartWriter(options);
  test::AppendText(writer.get(), "one");
  REQUIRE(writer->Shutdown(test::kPatienceMs));
  auto reader = Open(&files, ReadMode::kDurable);
  REQUIRE(test::ReadAll(reader.get()).size() == 1);
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(9, 9, kSegmentBytes);
  builder.Event("copied");
  CHECK(test::ReadAll(reader.get()).empty());
  for (const char* text : {"two", "three"}) {
    test::AppendText(writer.get(), text);
    REQUIRE(writer->Shutdown(test::kPatienceMs));
    const auto items = test::ReadAll(reader.get());
    REQUIRE(items.size() == 1);
    CHECK(items[0].payload == text);
  }
  // With the next start of the CA the epoch ends, and the others get their turn.
  writer = test::StartWriter(options);
  test::AppendText(writer.get(), "four");
  REQUIRE(writer->Shutdown(test::kPatienceMs));
  const auto texts = test::EventTexts(test::ReadAll(reader.get()));
  CHECK(texts == std::vector<std::string>{test::EventPayload("copied"), "four"});
}

TEST_CASE("an epoch that the next one follows has ended, whatever the lock file says") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(1, 1, kSegmentBytes);
  builder.Event("one");
  auto& lock = files[kDirectory + "/" + journal::kWriterLockName];
  lock.assign(journal::kLockedEpochOffset + journal::kLockedEpochSize, 0);
  journal::EncodeLockedEpoch({1, builder.id()}, lock.data() + journal::kLockedEpochOffset);
  builder.Epoch(2, 2, kSegmentBytes);
  builder.Event("two");
  auto reader = Open(&files, ReadMode::kCommitted);
  CHECK(test::EventTexts(test::ReadAll(reader.get())).size() == 2);
}

TEST_CASE("a position in an epoch that is not there starts at the oldest frame, with a notice") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(4, 4, kSegmentBytes);
  builder.Event("one");
  for (const uint32_t number : {3u, 4u, 9u}) {
    journal::Position position;
    position.epoch_number = number;
    position.epoch_id[0] = 99;
    position.segment = 2;
    position.offset = 4096;
    position.sequence = 77;
    auto reader = Open(&files, ReadMode::kCommitted, &position);
    const auto items = test::ReadAll(reader.get());
    REQUIRE(items.size() == 2);
    CHECK(test::ReasonOf(items[0]) == (number == 3 ? "retention" : "rollback"));
    CHECK(items[0].sequence == 78);
    CHECK(items[0].after.epoch_id[0] == 99);
    CHECK(items[1].payload == test::EventPayload("one"));
    CHECK(reader->Stats().position_lost);
  }
}

TEST_CASE("segments deleted in front of a position are one retention gap") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(1, 1, kSegmentBytes);
  builder.Event("one");
  const std::string first = builder.path();
  builder.Segment(kSegmentBytes);
  builder.Event("two");
  const std::string second = builder.path();
  builder.Segment(kSegmentBytes);
  builder.Event("three");
  const auto all = test::ReadAll(Open(&files, ReadMode::kCommitted).get());
  REQUIRE(all.size() == 3);
  REQUIRE(files.Delete(first.c_str()).ok());
  CHECK(test::ReadAll(Open(&files, ReadMode::kCommitted).get()).size() == 2);
  REQUIRE(files.Delete(second.c_str()).ok());
  const auto rest = test::ReadAll(Open(&files, ReadMode::kCommitted, &all[0].after).get());
  REQUIRE(rest.size() == 2);
  CHECK(test::ReasonOf(rest[0]) == "retention");
  CHECK(test::NumberOf(rest[0], "firstSequence") == 3);
  CHECK(test::NumberOf(rest[0], "lastSequence") == 3);
  CHECK(rest[1].payload == test::EventPayload("three"));
}

TEST_CASE("a file that is gone when its header is read holds nothing up") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(1, 1, kSegmentBytes);
  builder.Event("deleted");
  const std::string deleted = builder.path();
  builder.Epoch(2, 2, kSegmentBytes);
  builder.Event("two");
  test::HookFiles hooked(&files, [&](const test::Operation& operation) {
    const bool gone = operation.op == test::Op::kOpen && operation.path == deleted;
    return gone ? journal::Status(journal::Status::Code::kNotFound, "being deleted", 5)
                : journal::Status::Ok();
  });
  const auto items = test::ReadAll(Open(&hooked, ReadMode::kCommitted).get());
  REQUIRE(items.size() == 1);
  CHECK(items[0].payload == test::EventPayload("two"));
}

TEST_CASE("a reader that was done with a deleted epoch gets no gap, if the next one is whole") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(1, 1, kSegmentBytes);
  builder.Event("one");
  const std::string ended = builder.path();
  builder.Epoch(2, 2, kSegmentBytes);
  builder.Event("two");
  const std::string whole = builder.path();
  builder.Segment(kSegmentBytes);
  builder.Event("three");
  const auto all = test::ReadAll(Open(&files, ReadMode::kCommitted).get());
  REQUIRE(all.size() == 4);
  REQUIRE(test::ReasonOf(all[1]) == "unclean-stop");
  REQUIRE(files.Delete(ended.c_str()).ok());
  auto done = Open(&files, ReadMode::kCommitted, &all[1].after);
  const auto rest = test::ReadAll(done.get());
  REQUIRE(rest.size() == 2);
  CHECK(rest[0].payload == test::EventPayload("two"));
  CHECK_FALSE(done->Stats().position_lost);
  const auto gaps = test::ReadAll(Open(&files, ReadMode::kCommitted, &all[0].after).get());
  REQUIRE(gaps.size() == 3);
  CHECK(test::ReasonOf(gaps[0]) == "retention");
  REQUIRE(files.Delete(whole.c_str()).ok());
  const auto cut = test::ReadAll(Open(&files, ReadMode::kCommitted, &all[1].after).get());
  REQUIRE(cut.size() == 2);
  CHECK(test::ReasonOf(cut[0]) == "retention");
  CHECK(cut[1].payload == test::EventPayload("three"));
}

TEST_CASE("an older copy of the directory, restored, is reported and repeats no id") {
  test::MemoryFiles files;
  auto options = test::SmallOptions(kDirectory);
  options.file_system = &files;
  auto writer = test::StartWriter(options);
  test::AppendText(writer.get(), "one");
  REQUIRE(writer->Shutdown(test::kPatienceMs));
  std::map<std::string, test::MemoryFiles::Content> snapshot;
  for (const auto& path : files.paths()) snapshot[path] = files[path];
  test::AppendText(writer.get(), "two");
  REQUIRE(writer->Shutdown(test::kPatienceMs));
  writer.reset();
  const auto before = test::ReadAll(Open(&files, ReadMode::kCommitted).get());
  REQUIRE(before.size() == 2);
  for (const auto& [path, content] : snapshot) files[path] = content;
  writer = test::StartWriter(options);
  test::AppendText(writer.get(), "three");
  REQUIRE(writer->Shutdown(test::kPatienceMs));
  auto reader = Open(&files, ReadMode::kCommitted, &before[1].after);
  const auto after = test::ReadAll(reader.get());
  REQUIRE(after.size() == 2);
  CHECK(test::ReasonOf(after[0]) == "rollback");
  CHECK(after[1].payload == "three");
  for (const auto& old : before) {
    for (const auto& now : after) CHECK(old.id() != now.id());
  }
}

TEST_CASE("a failed read does not change how an epoch ended for a reader that starts at its end") {
  enum class End { kSealed, kUnsealed, kBeforePosition };
  for (const End end : {End::kSealed, End::kUnsealed, End::kBeforePosition}) {
    CAPTURE(static_cast<int>(end));
    test::MemoryFiles files;
    test::JournalBuilder builder(&files, kDirectory);
    // Larger than what one read fetches.
    builder.Epoch(1, 1, journal::kMebibyte);
    for (int i = 0; i < 40; ++i) builder.Event(std::string(10000, 'e'));
    if (end == End::kSealed) builder.Seal();
    const uint64_t lost = end == End::kBeforePosition ? 1 : 0;
    journal::Position position = {
        1, {}, 0, builder.offset() + lost * 10048, builder.sequence() + lost};
    std::memset(position.epoch_id, 1, sizeof(position.epoch_id));
    builder.Epoch(2, 2, kSegmentBytes);
    builder.Event("next");
    test::HookFiles whole(&files, [](const auto&) { return journal::Status::Ok(); });
    const auto expected = test::ReadAll(Open(&whole, ReadMode::kCommitted, &position).get());
    REQUIRE(expected.size() == (end == End::kSealed ? 1 : 2));
    CHECK(expected.back().payload == test::EventPayload("next"));
    for (uint64_t failing = 1; failing <= whole.count(); ++failing) {
      CAPTURE(failing);
      test::HookFiles hooked(&files, [failing](const test::Operation& operation) {
        if (operation.number != failing) return journal::Status::Ok();
        return journal::Status(journal::Status::Code::kIo, "input/output error", 5);
      });
      auto reader = Open(&hooked, ReadMode::kCommitted, &position);
      const auto items = test::ReadUntil(
          reader.get(), [&](const auto& all) { return all.size() >= expected.size(); });
      REQUIRE(items.size() == expected.size());
      for (size_t i = 0; i < items.size(); ++i) {
        CHECK(items[i].id() == expected[i].id());
        CHECK(items[i].payload == expected[i].payload);
      }
    }
  }
}

TEST_CASE("a new epoch under the names of the one that it replaced is read from its start") {
  // The last file is the only one whose header is read each time; it may get its header later.
  for (const bool last_has_header : {true, false}) {
    CAPTURE(last_has_header);
    test::MemoryFiles files;
    test::JournalBuilder builder(&files, kDirectory);
    builder.Epoch(1, 1, kSegmentBytes);
    builder.Seal();
    test::JournalBuilder again = builder;
    builder.Epoch(2, 2, kSegmentBytes);
    builder.Event("one");
    builder.Segment(kSegmentBytes);
    builder.Event("two");
    builder.Seal();
    auto reader = Open(&files, ReadMode::kCommitted);
    REQUIRE(test::ReadAll(reader.get()).size() == 2);
    const std::string last = builder.path();
    again.Epoch(2, 3, kSegmentBytes);
    again.Event("three");
    if (last_has_header) {
      again.Segment(kSegmentBytes);
    } else {
      files[last].assign(kSegmentBytes, 0);
    }
    const auto items = test::ReadAll(reader.get());
    REQUIRE(items.size() == 2);
    CHECK(test::ReasonOf(items[0]) == "rollback");
    CHECK(items[1].payload == test::EventPayload("three"));
  }
}

TEST_CASE("a new epoch under the names of another is found although the second listing fails") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(1, 1, kSegmentBytes);
  builder.Seal();
  test::JournalBuilder again = builder;
  builder.Epoch(2, 2, kSegmentBytes);
  builder.Event("one");
  builder.Segment(kSegmentBytes);
  builder.Event("two");
  builder.Seal();
  int lists = 0;
  int failing = 0;
  test::HookFiles hooked(&files, [&](const test::Operation& operation) {
    if (operation.op != test::Op::kList || ++lists != failing) return journal::Status::Ok();
    return journal::Status(journal::Status::Code::kIo, "input/output error", 5);
  });
  auto reader = Open(&hooked, ReadMode::kCommitted);
  REQUIRE(test::ReadAll(reader.get()).size() == 2);
  again.Epoch(2, 3, kSegmentBytes);
  again.Event("three");
  again.Segment(kSegmentBytes);
  again.Event("four");
  failing = lists + 2;
  journal::Batch batch;
  CHECK_FALSE(reader->Read(&batch).ok());
  const auto items = test::ReadAll(reader.get());
  REQUIRE(items.size() == 3);
  CHECK(test::ReasonOf(items[0]) == "rollback");
  CHECK(items[1].payload == test::EventPayload("three"));
  CHECK(items[2].payload == test::EventPayload("four"));
}

TEST_CASE(
    "each file that cannot be read has a patience of its own, from the listing that found it") {
  constexpr uint64_t kOneSecond = journal::kNanosPerSecond;
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(1, 1, kSegmentBytes);
  const std::string first = builder.path();
  builder.Segment(kSegmentBytes);
  const std::string second = builder.path();
  builder.Segment(kSegmentBytes);
  std::string bad;
  test::HookFiles hooked(&files, [&](const test::Operation& operation) {
    return operation.op == test::Op::kRead && operation.path == bad
               ? journal::Status(journal::Status::Code::kIo, "input/output error", 5)
               : journal::Status::Ok();
  });
  journal::ReadPlace place;
  journal::EpochView view(&hooked, kDirectory, &place);
  constexpr journal::SegmentPlace kFrom = {0, 0};
  constexpr journal::SegmentPlace kBefore = {1, 2};
  uint64_t now = 100 * kOneSecond;
  // A scanner that goes from file to file.
  for (const auto& path : {first, second}) {
    bad = path;
    for (int listing = 0; listing < 4; ++listing, now += kOneSecond) {
      REQUIRE(view.Refresh(now).ok());
      CHECK(view.WaitsForUnreadable(kFrom, kBefore));
      CHECK(view.EndOrWait(kFrom) == journal::StepOutcome::kWaiting);
      CHECK(view.blocked().ok());
    }
  }
  REQUIRE(view.Refresh(now + 2 * kOneSecond).ok());
  CHECK_FALSE(view.WaitsForUnreadable(kFrom, kBefore));
  // At the end, nothing but an error shows what it may have had.
  CHECK(view.EndOrWait(kFrom) == journal::StepOutcome::kWaiting);
  CHECK_FALSE(view.blocked().ok());
}

TEST_CASE("a segment that cannot be opened is waited for, and after 5 s that is an error") {
  constexpr uint64_t kOneSecond = journal::kNanosPerSecond;
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(1, 1, kSegmentBytes);
  bool held = true;
  test::HookFiles hooked(&files, Holding(&held, builder.path()));
  journal::ReadPlace place;
  journal::EpochView view(&hooked, kDirectory, &place);
  REQUIRE(view.Refresh(100 * kOneSecond).ok());
  CHECK(view.WaitsForUnreadable({0, 0}, {1, 1}));
  CHECK(view.blocked().ok());
  REQUIRE(view.Refresh(3700 * kOneSecond).ok());
  CHECK(view.WaitsForUnreadable({0, 0}, {1, 1}));
  CHECK_FALSE(view.blocked().ok());
  CHECK(view.blocking_segment() == builder.path().substr(builder.path().rfind('/') + 1));
  held = false;
  REQUIRE(view.Refresh(3701 * kOneSecond).ok());
  CHECK_FALSE(view.WaitsForUnreadable({0, 0}, {1, 1}));
  CHECK(view.blocked().ok());
}

TEST_CASE("frames that another process holds are not damage, however often they cannot be read") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(1, 1, kSegmentBytes);
  builder.Event("one");
  bool held = true;
  test::HookFiles hooked(&files, [&](const test::Operation& operation) {
    const bool frames = operation.op == test::Op::kRead && operation.offset != 0;
    return held && frames ? journal::Status(journal::Status::Code::kBusy, "held", 33)
                          : journal::Status::Ok();
  });
  auto reader = Open(&hooked, ReadMode::kCommitted);
  journal::Batch batch;
  for (int reads = 0; reads < 20; ++reads) {
    (void)reader->Read(&batch);
    CHECK(batch.entries.empty());
    CHECK_FALSE(reader->AtEnd());
  }
  held = false;
  CHECK(test::EventTexts(ReadToEnd(reader.get())) == std::vector{test::EventPayload("one")});
  CHECK(reader->Stats().damaged_ranges == 0);
}

TEST_CASE("a header that cannot be read just when an epoch was replaced is read later") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  test::JournalBuilder again = builder;
  builder.Epoch(2, 2, kSegmentBytes);
  const std::string first = builder.path();
  builder.Segment(kSegmentBytes);
  bool fails = false;
  int refused = 0;
  test::HookFiles hooked(&files, [&](const test::Operation& operation) {
    if (!fails || operation.op != test::Op::kOpen || operation.path != first)
      return journal::Status::Ok();
    ++refused;
    return journal::Status(journal::Status::Code::kBusy, "held", 32);
  });
  journal::Catalog catalog(&hooked, kDirectory);
  REQUIRE(catalog.Refresh(journal::MonotonicNanos()).ok());
  REQUIRE(catalog.epochs().size() == 1);
  again.Epoch(2, 3, kSegmentBytes);
  again.Segment(kSegmentBytes);
  fails = true;
  REQUIRE(catalog.Refresh(journal::MonotonicNanos()).ok());
  REQUIRE(refused > 0);
  CHECK(catalog.Unreadable({2, 0}, {2, 1}).size() == 1);
  fails = false;
  REQUIRE(catalog.Refresh(journal::MonotonicNanos()).ok());
  CHECK(catalog.Unreadable({2, 0}, {2, 1}).empty());
  REQUIRE(catalog.epochs().size() == 1);
  const auto& [key, epoch] = *catalog.epochs().begin();
  CHECK(key.id == again.id());
  CHECK(epoch.size() == 2);
}

TEST_CASE("a start of the next epoch that stays unreadable is damage in the end") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(1, 1, kSegmentBytes);
  builder.Event("one");
  builder.Seal();
  builder.Epoch(2, 2, kSegmentBytes);
  const std::string bad = builder.path();
  builder.Event("two");
  builder.Segment(kSegmentBytes);
  builder.Event("three");
  test::HookFiles hooked(&files, [&](const test::Operation& operation) {
    const bool frames = operation.op == test::Op::kRead && operation.offset != 0;
    if (!frames || operation.path != bad) return journal::Status::Ok();
    return journal::Status(journal::Status::Code::kIo, "input/output error", 5);
  });
  auto reader = Open(&hooked, ReadMode::kCommitted);
  std::vector<std::string> payloads;
  journal::Batch batch;
  for (int reads = 0; reads < 100; ++reads) {
    (void)reader->Read(&batch);
    for (const auto& item : test::ItemsOf(batch)) {
      if (!item.is_gap()) payloads.push_back(item.payload);
    }
  }
  CHECK(payloads == std::vector{test::EventPayload("one"), test::EventPayload("three")});
}

TEST_CASE("a lock file that cannot be read does not make the writer's epoch an old one") {
  test::MemoryFiles files;
  auto options = test::SmallOptions(kDirectory);
  options.file_system = &files;
  auto writer = test::StartWriter(options);
  test::AppendText(writer.get(), "one");
  REQUIRE(writer->Shutdown(test::kPatienceMs));
  bool fails = false;
  test::HookFiles hooked(&files, [&](const test::Operation& operation) {
    if (!fails || !OpensLockFile(operation)) return journal::Status::Ok();
    return journal::Status(journal::Status::Code::kBusy, "held", 32);
  });
  auto reader = Open(&hooked, ReadMode::kDurable);
  REQUIRE(test::ReadAll(reader.get()).size() == 1);
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(9, 9, kSegmentBytes);
  builder.Event("copied");
  fails = true;
  CHECK(test::ReadAll(reader.get()).empty());
  std::vector<journal::SegmentInfo> segments;
  CHECK_FALSE(journal::ListSegments(&hooked, kDirectory, &segments).ok());
  fails = false;
  test::AppendText(writer.get(), "two");
  REQUIRE(writer->Shutdown(test::kPatienceMs));
  CHECK(test::EventTexts(test::ReadAll(reader.get())) == std::vector<std::string>{"two"});
  REQUIRE(journal::ListSegments(&hooked, kDirectory, &segments).ok());
  CHECK(segments.front().is_writers);
}

TEST_CASE(
    "while the lock file stays unreadable, a live epoch is left for no other, and that is "
    "reported") {
  test::MemoryFiles files;
  auto options = test::SmallOptions(kDirectory);
  options.file_system = &files;
  auto writer = test::StartWriter(options);
  test::AppendText(writer.get(), "one");
  REQUIRE(writer->Shutdown(test::kPatienceMs));
  bool fails = true;
  test::HookFiles hooked(&files, [&](const test::Operation& operation) {
    if (!fails || !OpensLockFile(operation)) return journal::Status::Ok();
    return journal::Status(journal::Status::Code::kIo, "input/output error", 5);
  });
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(9, 9, kSegmentBytes);
  builder.Event("copied");
  auto reader = Open(&hooked, ReadMode::kDurable);
  CHECK(test::EventTexts(test::ReadAll(reader.get())) == std::vector<std::string>{"one"});
  journal::Batch batch;
  CHECK(test::WaitUntil([&] { return !reader->Read(&batch).ok(); }));
  CHECK_FALSE(reader->AtEnd());
  CHECK(test::ItemsOf(batch).empty());
  test::AppendText(writer.get(), "two");
  REQUIRE(writer->Shutdown(test::kPatienceMs));
  CHECK(
      test::WaitUntil([&] { return reader->Read(&batch).ok() && !test::ItemsOf(batch).empty(); }));
  CHECK(test::EventTexts(test::ItemsOf(batch)) == std::vector<std::string>{"two"});
  fails = false;
  CHECK(test::WaitUntil([&] { return reader->Read(&batch).ok(); }));
}

TEST_CASE("while the lock file stays unreadable, an epoch is left for the one that follows it") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(1, 1, kSegmentBytes);
  builder.Event("one");
  builder.Seal();
  builder.Epoch(2, 2, kSegmentBytes);
  builder.Event("two");
  test::HookFiles hooked(&files, [&](const test::Operation& operation) {
    if (!OpensLockFile(operation)) return journal::Status::Ok();
    return journal::Status(journal::Status::Code::kIo, "input/output error", 5);
  });
  auto reader = Open(&hooked, ReadMode::kCommitted);
  const auto items = test::ReadUntil(reader.get(), [](const auto& all) { return all.size() >= 2; });
  CHECK(test::EventTexts(items).size() == 2);
}

TEST_CASE("a reader in doubt about the writer is not at the end before the next listing") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(1, 1, kSegmentBytes);
  builder.Event("one");
  builder.Seal();
  builder.Epoch(2, 2, kSegmentBytes);
  builder.Event("two");
  test::HookFiles hooked(&files, [&](const test::Operation& operation) {
    if (!OpensLockFile(operation)) return journal::Status::Ok();
    return journal::Status(journal::Status::Code::kIo, "input/output error", 5);
  });
  auto options = test::ReaderOf(kDirectory, ReadMode::kCommitted);
  options.file_system = &hooked;
  options.relist_ms = 3000;  // no listing falls on the moment when the patience of 5 s ends
  auto reader = journal::Reader::Open(options);
  CHECK(test::EventTexts(ReadToEnd(reader.get())) ==
        std::vector{test::EventPayload("one"), test::EventPayload("two")});
}

TEST_CASE("reads that failed in one segment do not make a failure in the next one damage") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(1, 1, kSegmentBytes);
  builder.Event("one");
  const std::string first = builder.path();
  builder.Segment(kSegmentBytes);
  builder.Event("two");
  const std::string second = builder.path();
  builder.Segment(kSegmentBytes);
  builder.Event("three");
  int reads = 0;
  test::HookFiles hooked(&files, [&](const test::Operation& operation) {
    const bool frames = operation.op == test::Op::kRead && operation.offset != 0;
    const bool fails =
        (operation.path == first && reads < 5) || (operation.path == second && reads == 5);
    if (!frames || !fails) return journal::Status::Ok();
    return journal::Status(journal::Status::Code::kIo, "input/output error", 5);
  });
  auto reader = Open(&hooked, ReadMode::kCommitted);
  std::vector<std::string> payloads;
  journal::Batch batch;
  for (reads = 1; reads < 10; ++reads) {
    (void)reader->Read(&batch);
    for (const auto& item : test::ItemsOf(batch)) payloads.push_back(item.payload);
  }
  CHECK(payloads == std::vector{test::EventPayload("one"), test::EventPayload("two"),
                                test::EventPayload("three")});
}

TEST_CASE("a segment that gets its header while the catalog reads a later one is not missed") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(1, 1, kSegmentBytes);
  builder.Event("one");
  builder.Segment(kSegmentBytes);
  builder.Event("two");
  const std::string late = builder.path();
  const auto content = files[late];
  builder.Segment(kSegmentBytes);
  builder.Event("three");
  const std::string last = builder.path();
  files[late].assign(kSegmentBytes, 0);
  test::HookFiles hooked(&files, [&](const test::Operation& operation) {
    if (operation.op == test::Op::kOpen && operation.path == last) files[late] = content;
    return journal::Status::Ok();
  });
  const auto items = test::ReadAll(Open(&hooked, ReadMode::kCommitted).get());
  REQUIRE(items.size() == 3);
  CHECK(items[1].payload == test::EventPayload("two"));
}

TEST_CASE("a journal that needs a newer reader stops this one, and nothing is skipped") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(1, 1, kSegmentBytes);
  builder.Event("one");
  journal::SegmentHeader header;
  auto& content = files[builder.path()];
  REQUIRE(journal::DecodeSegmentHeader(content.data(), content.size(), &header));
  header.version = header.min_reader_version = 2;
  journal::EncodeSegmentHeader(header, content.data());
  auto reader = Open(&files, ReadMode::kCommitted);
  journal::Batch batch;
  CHECK(reader->Read(&batch).code() == journal::Status::Code::kInvalid);
  CHECK(batch.entries.empty());
}

TEST_CASE("a second writer on the same directory keeps its records until the first one has gone") {
  test::MemoryFiles files;
  auto options = test::SmallOptions(kDirectory);
  options.file_system = &files;
  auto first = test::StartWriter(options);
  const uint64_t mine = test::AppendUntilCommitted(first.get(), "first");
  auto second = test::StartWriter(options);
  CHECK(test::AppendText(second.get(), "second") == journal::AppendResult::kPending);
  CHECK_FALSE(second->Shutdown(50));
  CHECK(test::WaitUntil([&] { return std::string(second->Stats().last_problem) == "locked"; }));
  REQUIRE(first->Shutdown(test::kPatienceMs));
  first.reset();
  REQUIRE(second->Shutdown(test::kPatienceMs));
  const auto items = test::ReadAll(Open(&files, ReadMode::kCommitted).get());
  REQUIRE(items.size() == mine + 1);
  CHECK(items.back().payload == "second");
  CHECK(items.back().after.epoch_number == 2);
}

TEST_CASE("a reader that waits hands out a frame that is written during its wait") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(1, 1, kSegmentBytes);
  int reads = 0;
  test::HookFiles hooked(&files, [&](const test::Operation& operation) {
    if (operation.op == test::Op::kRead && ++reads == 20) builder.Event("late");
    return journal::Status::Ok();
  });
  auto reader = Open(&hooked, ReadMode::kCommitted);
  journal::Batch batch;
  REQUIRE(reader->ReadWithin(kNeverMs, 1, &batch).ok());
  CHECK(batch.entries.size() == 1);
  REQUIRE(reader->ReadWithin(1, 1, &batch).ok());
  CHECK(batch.entries.empty());
}

TEST_CASE("another thread ends the wait of a reader, whenever that comes") {
  test::MemoryFiles files;
  test::JournalBuilder(&files, kDirectory).Epoch(1, 1, kSegmentBytes);
  for (int round = 0; round < 200; ++round) {
    auto reader = Open(&files, ReadMode::kCommitted);
    std::thread stopping([&] { reader->StopWaiting(); });
    journal::Batch batch;
    CHECK(reader->ReadWithin(kNeverMs, kNeverMs, &batch).ok());
    stopping.join();
    CHECK(batch.entries.empty());
  }
}

TEST_CASE("a reader at the end of the journal reads little of what is empty") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(1, 1, journal::kMebibyte);
  builder.Event("one");
  size_t bytes = 0;
  test::HookFiles hooked(&files, [&](const test::Operation& operation) {
    if (operation.op == test::Op::kRead) bytes += operation.size;
    return journal::Status::Ok();
  });
  auto reader = Open(&hooked, ReadMode::kCommitted);
  REQUIRE(test::ReadAll(reader.get()).size() == 1);
  // Now and then it searches for frames after zeros.
  CHECK(test::WaitUntil([&] {
    bytes = 0;
    journal::Batch batch;
    REQUIRE(reader->Read(&batch).ok());
    return bytes <= 16 * journal::kKibibyte;
  }));
}
