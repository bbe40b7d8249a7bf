#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "catalog.h"
#include "format.h"
#include "platform.h"
#include "segment_store.h"
#include "support/hook_files.h"
#include "support/journal_builder.h"
#include "support/journal_tools.h"
#include "support/memory_files.h"
#include "support/wait.h"

using journal::AppendResult;
using journal::Status;
using test::kDirectory;

namespace {}  // namespace

TEST_CASE("a process that starts with the journal at its cap still reports what it lost") {
  for (const bool floor : {false, true}) {
    CAPTURE(floor);
    test::MemoryFiles files;
    auto options = test::SmallOptions(kDirectory);
    options.file_system = &files;
    options.first_segment_bytes = journal::kMebibyte;
    options.max_outstanding_bytes = 100 * journal::kKibibyte;
    if (floor) {
      files.set_free_space(options.min_free_bytes);
    } else {
      options.max_journal_bytes = 100;
    }
    auto writer = test::StartWriter(options);
    const auto append = [&] { test::AppendText(writer.get(), std::string(5000, 'c')); };
    REQUIRE(test::WaitUntil(
        [&] { return append(), test::EventTexts(test::ReadCommitted(&files)).size() > 20; }));
    REQUIRE(test::WaitUntil([&] { return append(), writer->Stats().degraded; }));
    REQUIRE(test::WaitUntil(
        [&] { return append(), test::LostEvents(test::ReadCommitted(&files)) > 0; }));
    const size_t lock = files[kDirectory + "/" + journal::kWriterLockName].size();
    CHECK(files.total_bytes() - lock <= 256 * journal::kKibibyte);
  }
}

TEST_CASE("before the first segment exists an append returns within its limit and says so") {
  test::MemoryFiles files;
  std::atomic<bool> held{true};
  test::HookFiles hooked(&files, [&](const test::Operation& operation) {
    while (operation.op == test::Op::kCreate && held) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return Status::Ok();
  });
  auto options = test::SmallOptions(kDirectory);
  options.file_system = &hooked;
  auto writer = test::StartWriter(options);
  CHECK(test::AppendText(writer.get(), "first") == AppendResult::kPending);
  CHECK(test::AppendText(writer.get(), "second") == AppendResult::kPending);
  CHECK(test::ReadCommitted(&files).empty());
  held = false;
  REQUIRE(writer->Shutdown(test::kPatienceMs));
  CHECK(test::EventTexts(test::ReadCommitted(&files)) ==
        std::vector<std::string>{"first", "second"});
}

TEST_CASE("the epoch before is found also when its first segment never got a header") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(1, 1, 8192);
  builder.Epoch(2, 2, 8192);
  const std::string first = builder.path();
  builder.Segment(8192);
  files[first].assign(8192, 0);
  auto options = test::SmallOptions(kDirectory);
  journal::SegmentStore store(options, &files);
  REQUIRE(store.BeginEpoch().ok());
  CHECK(store.epoch() == 3);
  REQUIRE(store.has_previous());
  CHECK(store.previous().id == builder.id());
  CHECK(store.previous().index == 1);
}

TEST_CASE("a segment states the limits of its writer") {
  test::MemoryFiles files;
  auto options = test::SmallOptions(kDirectory);
  options.file_system = &files;
  options.max_journal_bytes = 123 * journal::kMebibyte;
  options.min_free_bytes = 45 * journal::kMebibyte;
  auto writer = test::StartWriter(options);
  test::AppendText(writer.get(), "one");
  REQUIRE(writer->Shutdown(test::kPatienceMs));
  journal::Catalog catalog(&files, kDirectory);
  REQUIRE(catalog.Refresh(journal::MonotonicNanos()).ok());
  REQUIRE(catalog.epochs().size() == 1);
  const auto& [key, epoch] = *catalog.epochs().begin();
  CHECK(epoch.begin()->second.header.max_journal_bytes == options.max_journal_bytes);
  CHECK(epoch.begin()->second.header.min_free_bytes == options.min_free_bytes);
  std::optional<journal::EpochKey> writers;
  REQUIRE(catalog.ReadWritersEpoch(&writers).ok());
  CHECK(writers == key);
}

TEST_CASE("on a small volume a segment leaves space for its successor") {
  constexpr uint64_t kVolume = 32 * journal::kMebibyte;
  test::MemoryFiles files;
  files.set_volume(kVolume);
  auto options = test::SmallOptions(kDirectory);
  options.file_system = &files;
  options.min_free_bytes = 0;
  options.first_segment_bytes = 256 * journal::kKibibyte;
  options.max_segment_bytes = kVolume;
  auto writer = test::StartWriter(options);
  const std::string record(100 * journal::kKibibyte, 'r');
  const auto names = [&] {
    std::vector<std::string> found;
    for (const auto& path : files.paths()) {
      if (path.ends_with(".cej")) found.push_back(path);
    }
    return found;
  };
  // As retention does when everything is published: only the segment that is written stays, and
  // the one that is made ahead.
  for (uint64_t written = 0; written < 3 * kVolume; written += record.size()) {
    REQUIRE(test::AppendText(writer.get(), record) != AppendResult::kDropped);
    REQUIRE(test::WaitUntil([&] {
      const journal::WriterStats stats = writer->Stats();
      return stats.committed == stats.appended;
    }));
    auto all = names();
    for (size_t i = 0; i + 2 < all.size(); ++i) REQUIRE(files.Delete(all[i].c_str()).ok());
  }
  // A segment that is deleted between the two looks at the volume counts twice.
  constexpr uint64_t kLargest = (kVolume + kVolume / 8) / 16;
  for (const auto& path : names()) CHECK(files.size_of(path) <= kLargest);
}

TEST_CASE("the largest record is limited by the journal and by the memory") {
  CHECK(journal::LargestRecord(10240 * journal::kMebibyte, 64 * journal::kMebibyte) ==
        16 * journal::kMebibyte);
  CHECK(journal::LargestRecord(journal::kLeastJournalBytes, 64 * journal::kMebibyte) ==
        4 * journal::kMebibyte - 128 * journal::kKibibyte);
  CHECK(journal::LargestRecord(10240 * journal::kMebibyte, 8 * journal::kMebibyte) ==
        4 * journal::kMebibyte);
  auto options = test::SmallOptions(kDirectory);
  test::MemoryFiles files;
  options.file_system = &files;
  const test::WriterPtr writer(journal::Writer::Create(options));
  CHECK(writer->MaxRecordBytes() == 16 * journal::kMebibyte);
  options.max_journal_bytes = journal::kLeastJournalBytes;
  REQUIRE(writer->Configure(options).ok());
  CHECK(writer->MaxRecordBytes() == 4 * journal::kMebibyte - 128 * journal::kKibibyte);
}

TEST_CASE("the first segment is made without an event") {
  test::MemoryFiles files;
  auto options = test::SmallOptions(kDirectory);
  options.file_system = &files;
  auto writer = test::StartWriter(options);
  CHECK(test::WaitUntil([&] { return writer->Stats().epoch == 1; }));
}

TEST_CASE("the segment that is written counts for the cap with the size that it will have") {
  test::MemoryFiles files;
  auto options = test::SmallOptions(kDirectory);
  options.max_journal_bytes = 200 * journal::kKibibyte;
  journal::SegmentStore store(options, &files);
  REQUIRE(store.BeginEpoch().ok());
  std::unique_ptr<journal::File> first;
  std::unique_ptr<journal::File> next;
  uint64_t size = 100 * journal::kKibibyte;
  REQUIRE(store.CreateFirst(0, &size, &first).ok());
  store.SetWritten({0, size});
  CHECK(store.Create(1, 101 * journal::kKibibyte, &next).code() == Status::Code::kNoSpace);
  CHECK(store.Create(1, 100 * journal::kKibibyte, &next).ok());
  // Once another one is written it grows no more.
  store.SetWritten({1, 100 * journal::kKibibyte});
  CHECK(store.CheckSpace(2, 101 * journal::kKibibyte).code() == Status::Code::kNoSpace);
  CHECK(store.CheckSpace(2, 100 * journal::kKibibyte).ok());
  // What is made ahead is not counted twice.
  REQUIRE(next->WriteAt(0, std::string(90000, '0').data(), 90000).ok());
  CHECK(store.CheckSpace(1, 200 * journal::kKibibyte).ok());
}

TEST_CASE("a seal does not cover what came after it and waits") {
  for (const bool drop : {false, true}) {
    CAPTURE(drop);
    test::MemoryFiles files;
    std::atomic<bool> full{false};
    test::HookFiles hooked(&files, [&](const test::Operation& operation) {
      const bool written = operation.op == test::Op::kCreate || operation.op == test::Op::kWrite;
      return written && full ? Status(Status::Code::kNoSpace, "no space", 28) : Status::Ok();
    });
    auto options = test::SmallOptions(kDirectory);
    options.file_system = &hooked;
    auto writer = test::StartWriter(options);
    test::AppendText(writer.get(), "first");
    REQUIRE(writer->Shutdown(test::kPatienceMs));
    full = true;
    if (drop) {
      writer->CountDropped(1000, 7);
    } else {
      test::AppendText(writer.get(), std::string(60000, 'l'));
    }
    CHECK_FALSE(writer->Shutdown(50));
    full = false;
    CHECK(writer->Shutdown(test::kPatienceMs));
    CHECK(test::ReadCommitted(&files).size() == 2);
  }
}

TEST_CASE("the figures report a failed flush and a disk that hangs") {
  for (const test::Op op : {test::Op::kFlush, test::Op::kWrite}) {
    test::MemoryFiles files;
    std::atomic<bool> broken{false};
    test::HookFiles hooked(&files, [&](const test::Operation& operation) {
      if (operation.op != op || !broken) return Status::Ok();
      if (op == test::Op::kFlush) return Status(Status::Code::kIo, "input/output error", 5);
      while (broken) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return Status::Ok();
    });
    auto options = test::SmallOptions(kDirectory);
    options.file_system = &hooked;
    auto writer = test::StartWriter(options);
    test::AppendText(writer.get(), "first");
    REQUIRE(writer->Shutdown(test::kPatienceMs));
    CHECK_FALSE(writer->Stats().degraded);
    broken = true;
    test::AppendText(writer.get(), "second");
    CHECK(test::WaitUntil([&] { return writer->Stats().degraded; }));
    CHECK(*writer->Stats().last_problem != 0);
    CHECK(writer->Stats().last_os_error == (op == test::Op::kFlush ? 5u : 0u));
    broken = false;
    test::AppendText(writer.get(), "third");
    CHECK(test::WaitUntil([&] { return !writer->Stats().degraded; }));
  }
}

TEST_CASE("a thread that runs is not started a second time") {
  std::atomic<int> starts{0};
  journal::Thread thread;
  const auto count = [](void* counter) { ++*static_cast<std::atomic<int>*>(counter); };
  REQUIRE(thread.Start(count, &starts).ok());
  REQUIRE(test::WaitUntil([&] { return starts == 1; }));
  REQUIRE(thread.Start(count, &starts).ok());
  thread.Join();
  CHECK(starts == 1);
}

TEST_CASE("a segment is at most a sixteenth of the cap, so that deleting comes before refusing") {
  test::MemoryFiles files;
  auto options = test::SmallOptions(kDirectory);
  options.file_system = &files;
  options.max_segment_bytes = 4 * journal::kMebibyte;
  options.max_journal_bytes = 4 * journal::kMebibyte;
  auto writer = test::StartWriter(options);
  for (int i = 0; i < 400; ++i) {
    REQUIRE(test::AppendText(writer.get(), std::string(5000, 's')) != AppendResult::kDropped);
  }
  REQUIRE(writer->Shutdown(test::kPatienceMs));
  writer.reset();
  for (const auto& path : files.paths())
    CHECK(files[path].size() <= options.max_journal_bytes / 16);
}

TEST_CASE("when the header of a new segment fails, nothing more goes into the old one") {
  // The bytes arrive, but the writer gets a failure: a reader sees the new segment all the same.
  test::MemoryFiles files;
  std::mutex mutex;
  std::atomic<int> failures{0};
  std::atomic<bool> broken{true};
  std::vector<std::string> begun;
  int behind = 0;
  test::HookFiles hooked(&files, [&](const test::Operation& operation) {
    if (operation.op != test::Op::kWrite || !operation.path.ends_with(".cej")) return Status::Ok();
    const std::lock_guard guard(mutex);
    const bool header = operation.offset == 0 && operation.size == journal::kSegmentHeaderSize;
    if (header && !operation.path.ends_with("s000000.cej")) begun.push_back(operation.path);
    if (!header && operation.offset >= journal::kSegmentHeaderSize && operation.size < 60000) {
      for (const auto& path : begun) behind += operation.path < path;
    }
    if (!header || operation.path.ends_with("s000000.cej") || !broken) return Status::Ok();
    std::unique_ptr<journal::File> file;
    if (files.Open(operation.path.c_str(), journal::OpenMode::kOpenOrCreate, &file).ok()) {
      (void)file->WriteAt(0, operation.data, operation.size);
    }
    ++failures;
    return Status(Status::Code::kIo, "input/output error", 5);
  });
  auto options = test::SmallOptions(kDirectory);
  options.file_system = &hooked;
  auto writer = test::StartWriter(options);
  std::vector<std::string> texts;
  for (int i = 0; i < 60; ++i) {
    texts.push_back("event " + std::to_string(i) + std::string(5000, 'h'));
    REQUIRE(test::AppendText(writer.get(), texts.back()) != AppendResult::kDropped);
  }
  REQUIRE(test::WaitUntil([&] { return failures >= 4; }));
  broken = false;
  REQUIRE(writer->Shutdown(test::kPatienceMs));
  CHECK(behind == 0);
  const auto items = test::ReadCommitted(&files);
  CHECK(test::EventTexts(items) == texts);
  CHECK(items.size() == texts.size());
  const std::set<std::string> names(begun.begin(), begun.end());
  CHECK(names.size() > 1);
}

TEST_CASE("a file whose zeros could not be flushed is not flushed again, and nothing is lost") {
  test::MemoryFiles files;
  std::mutex mutex;
  std::set<std::string> failed;
  int misuse = 0;
  test::HookFiles hooked(&files, [&](const test::Operation& operation) {
    const std::lock_guard guard(mutex);
    const bool spare = operation.path.ends_with("s000001.cej");
    if (operation.op != test::Op::kFlush || !spare) return Status::Ok();
    misuse += failed.contains(operation.path);
    failed.insert(operation.path);
    return Status(Status::Code::kIo, "input/output error", 5);
  });
  auto options = test::SmallOptions(kDirectory);
  options.file_system = &hooked;
  auto writer = test::StartWriter(options);
  std::vector<std::string> texts;
  const auto append = [&](int count) {
    for (int i = 0; i < count; ++i) {
      texts.push_back("event " + std::to_string(texts.size()) + std::string(5000, 'z'));
      REQUIRE(test::AppendText(writer.get(), texts.back()) != AppendResult::kDropped);
    }
  };
  // Enough for the spare to be made, too few for the writer to need it.
  append(5);
  REQUIRE(test::WaitUntil([&] {
    const std::lock_guard guard(mutex);
    return !failed.empty();
  }));
  append(55);
  REQUIRE(writer->Shutdown(test::kPatienceMs));
  CHECK(failed.size() == 1);
  CHECK(misuse == 0);
  CHECK(test::EventTexts(test::ReadCommitted(&files)) == texts);
}
