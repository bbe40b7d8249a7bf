#include "heartbeat.h"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "journal/units.h"
#include "journal/writer.h"
#include "support/hook_files.h"
#include "support/journal_tools.h"
#include "support/memory_files.h"
#include "support/wait.h"
#include "writer_lock.h"

using journal::kNanosPerSecond;
using journal::Status;
using journal::WriterBeat;
using journal::WriterCondition;
using test::kDirectory;

namespace {

constexpr uint64_t kStart = 1000 * kNanosPerSecond;

std::string LockPath() { return kDirectory + "/" + journal::kWriterLockName; }

std::optional<WriterBeat> ReadBeat(journal::FileSystem* files) {
  std::optional<WriterBeat> beat;
  CHECK(journal::ReadWriterBeat(files, kDirectory, &beat).ok());
  return beat;
}

bool Is(const std::optional<WriterBeat>& beat, WriterCondition condition) {
  return beat && beat->condition == static_cast<uint32_t>(condition);
}

WriterBeat Vitals(uint64_t time, WriterCondition condition = WriterCondition::kOk,
                  uint64_t dropped = 0) {
  WriterBeat vitals;
  vitals.time = time;
  vitals.dropped = dropped;
  vitals.condition = static_cast<uint32_t>(condition);
  return vitals;
}

/// A lock file, and the heartbeat of a writer that holds it.
struct Fixture {
  explicit Fixture(test::MemoryFiles* files, uint8_t writer = 1) {
    id.bytes[0] = writer;
    REQUIRE(files->Open(LockPath().c_str(), journal::OpenMode::kOpenOrCreate, &lock).ok());
  }
  void Beat(uint64_t seconds, const WriterBeat& vitals) {
    heartbeat.BeatIfDue(lock.get(), kStart + seconds * kNanosPerSecond, vitals);
  }

  journal::EpochId id{};
  std::unique_ptr<journal::File> lock;
  journal::Heartbeat heartbeat{id};
};

}  // namespace

TEST_CASE("a writer gives a sign of life every 10 s, and nobody reads one before the first") {
  test::MemoryFiles files;
  CHECK_FALSE(ReadBeat(&files));
  Fixture writer(&files);
  CHECK_FALSE(ReadBeat(&files));
  writer.Beat(0, Vitals(100));
  CHECK(ReadBeat(&files)->time == 100);
  writer.Beat(9, Vitals(109));
  CHECK(ReadBeat(&files)->time == 100);
  for (uint64_t seconds = 10; seconds < 100; seconds += 10) {
    writer.Beat(seconds, Vitals(100 + seconds));
    CHECK(ReadBeat(&files)->time == 100 + seconds);
  }
  CHECK(ReadBeat(&files)->number == 10);
}

TEST_CASE("everything that a beat says is read as it was written") {
  test::MemoryFiles files;
  Fixture writer(&files);
  WriterBeat vitals = Vitals(77, WriterCondition::kIoError, 1ull << 40);
  vitals.waiting_bytes = (1ull << 33) + 5;
  vitals.os_error = 28;
  writer.Beat(0, vitals);
  const auto beat = ReadBeat(&files);
  REQUIRE(beat);
  CHECK(beat->time == 77);
  CHECK(beat->number == 1);
  CHECK(beat->dropped == 1ull << 40);
  CHECK(beat->waiting_bytes == (1ull << 33) + 5);
  CHECK(beat->condition == 2);
  CHECK(beat->os_error == 28);
}

TEST_CASE("trouble is said at once, the end of it with the next beat") {
  test::MemoryFiles files;
  Fixture writer(&files);
  writer.Beat(0, Vitals(100));
  writer.Beat(1, Vitals(101, WriterCondition::kNoSpace));
  CHECK(Is(ReadBeat(&files), WriterCondition::kNoSpace));
  // However often it changes, that is one write more in 10 s.
  writer.Beat(2, Vitals(102, WriterCondition::kIoError));
  writer.Beat(3, Vitals(103));
  CHECK(ReadBeat(&files)->time == 101);
  writer.Beat(11, Vitals(111));
  CHECK(Is(ReadBeat(&files), WriterCondition::kOk));
}

TEST_CASE("a writer drops records while more are dropped than at the beat before") {
  test::MemoryFiles files;
  Fixture writer(&files);
  writer.Beat(0, Vitals(100));
  writer.Beat(1, Vitals(101, WriterCondition::kOk, 3));
  CHECK(Is(ReadBeat(&files), WriterCondition::kDropping));
  writer.Beat(11, Vitals(111, WriterCondition::kOk, 4));
  CHECK(Is(ReadBeat(&files), WriterCondition::kDropping));
  writer.Beat(21, Vitals(121, WriterCondition::kOk, 4));
  CHECK(Is(ReadBeat(&files), WriterCondition::kOk));
  CHECK(ReadBeat(&files)->dropped == 4);
  writer.Beat(31, Vitals(131, WriterCondition::kNoSpace, 9));
  CHECK(Is(ReadBeat(&files), WriterCondition::kNoSpace));
}

TEST_CASE("whichever byte of the newest beat is torn, the one before is read") {
  test::MemoryFiles files;
  Fixture writer(&files);
  for (uint64_t beats = 0; beats < 3; ++beats) writer.Beat(10 * beats, Vitals(100 + 10 * beats));
  auto& bytes = files[LockPath()];
  for (const uint64_t slot :
       {journal::kBeatsOffset, journal::kBeatsOffset + journal::kBeatSlotSize}) {
    WriterBeat there;
    REQUIRE(journal::DecodeBeat(bytes.data() + slot, &there));
    const uint64_t other = there.time == 120 ? 110 : 120;
    for (size_t byte = 0; byte < journal::kBeatSlotSize; ++byte) {
      bytes[slot + byte] ^= 0x55;
      CHECK(ReadBeat(&files)->time == other);
      bytes[slot + byte] ^= 0x55;
    }
  }
  bytes.resize(journal::kBeatsOffset + journal::kBeatSlotSize + 1);
  CHECK(ReadBeat(&files));
  bytes.resize(journal::kBeatsOffset + 1);
  CHECK_FALSE(ReadBeat(&files));
}

TEST_CASE("the first beat of a writer replaces all of the writer before, whatever the clock says") {
  test::MemoryFiles files;
  Fixture before(&files, 1);
  for (uint64_t beats = 0; beats < 5; ++beats) before.Beat(10 * beats, Vitals(1000 + beats));
  Fixture writer(&files, 2);
  writer.Beat(0, Vitals(20));
  CHECK(ReadBeat(&files)->time == 20);
  writer.Beat(10, Vitals(21));
  CHECK(ReadBeat(&files)->time == 21);
}

TEST_CASE("a first beat that failed is written whole the next time") {
  test::MemoryFiles files;
  Fixture before(&files, 1);
  for (uint64_t beats = 0; beats < 5; ++beats) before.Beat(10 * beats, Vitals(1000 + beats));
  bool is_broken = true;
  test::HookFiles hooked(&files, [&](const test::Operation& operation) {
    const bool fails = operation.op == test::Op::kWrite && is_broken;
    return fails ? Status(Status::Code::kIo, "input/output error", 5) : Status::Ok();
  });
  Fixture writer(&files, 2);
  REQUIRE(hooked.Open(LockPath().c_str(), journal::OpenMode::kOpenOrCreate, &writer.lock).ok());
  writer.Beat(0, Vitals(20));
  CHECK(ReadBeat(&files)->time == 1004);
  is_broken = false;
  writer.Beat(10, Vitals(30));
  CHECK(ReadBeat(&files)->time == 30);
  writer.Beat(20, Vitals(40));
  CHECK(ReadBeat(&files)->time == 40);
}

TEST_CASE("the lock file says how the writer is: well, without space, and with a disk that fails") {
  test::MemoryFiles files;
  std::atomic<bool> broken{false};
  test::HookFiles hooked(&files, [&](const test::Operation& operation) {
    const bool fails = operation.op == test::Op::kFlush && broken;
    return fails ? Status(Status::Code::kIo, "input/output error", 5) : Status::Ok();
  });
  auto options = test::SmallOptions(kDirectory);
  options.file_system = &hooked;
  options.max_journal_bytes = 100;
  options.max_outstanding_bytes = 100 * journal::kKibibyte;
  auto writer = test::StartWriter(options);
  test::AppendText(writer.get(), "first");
  REQUIRE(test::WaitUntil([&] { return Is(ReadBeat(&files), WriterCondition::kOk); }));
  const auto append = [&] { test::AppendText(writer.get(), std::string(5000, 'c')); };
  REQUIRE(
      test::WaitUntil([&] { return append(), Is(ReadBeat(&files), WriterCondition::kNoSpace); }));
  REQUIRE(test::WaitUntil([&] { return append(), ReadBeat(&files)->dropped > 0; }));
  writer.reset();

  options.max_journal_bytes = journal::kMebibyte;
  writer = test::StartWriter(options);
  REQUIRE(test::WaitUntil([&] { return Is(ReadBeat(&files), WriterCondition::kOk); }));
  broken = true;
  REQUIRE(test::WaitUntil([&] {
    test::AppendText(writer.get(), "unflushed");
    return Is(ReadBeat(&files), WriterCondition::kIoError);
  }));
  CHECK(ReadBeat(&files)->os_error == 5);
}

TEST_CASE("a writer that never gets a segment still gives signs of life") {
  test::MemoryFiles files;
  test::HookFiles hooked(&files, [&](const test::Operation& operation) {
    const bool fails = operation.op == test::Op::kCreate;
    return fails ? Status(Status::Code::kIo, "access denied", 13) : Status::Ok();
  });
  auto options = test::SmallOptions(kDirectory);
  options.file_system = &hooked;
  auto writer = test::StartWriter(options);
  test::AppendText(writer.get(), "first");
  REQUIRE(test::WaitUntil([&] { return Is(ReadBeat(&files), WriterCondition::kIoError); }));
  CHECK(ReadBeat(&files)->os_error == 13);
}
