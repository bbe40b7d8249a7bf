#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>

#include "support/hook_files.h"
#include "support/journal_tools.h"
#include "support/memory_files.h"
#include "support/scale.h"
#include "support/wait.h"

using journal::AppendResult;
using journal::Status;
using test::kDirectory;
using Clock = std::chrono::steady_clock;

namespace {

/// Enough to fill two segments, so that every kind of operation occurs.
constexpr int kFaultEvents = 24;

enum class Fault { kNone, kNoSpace, kIo, kSlow, kStuck };

Status Failure(Fault fault) {
  return fault == Fault::kNoSpace ? Status(Status::Code::kNoSpace, "no space", 28)
                                  : Status(Status::Code::kIo, "input/output error", 5);
}

/// A writer on files in memory of which operation `at` goes wrong.
class FaultyRun {
 public:
  FaultyRun(Fault fault, uint64_t at)
      : hooked(&files, [this, fault, at](const test::Operation& operation) {
          if (std::this_thread::get_id() == appender) operations_of_appender = true;
          if (operation.number != at) return Status::Ok();
          return GoWrong(fault);
        }) {
    auto options = test::SmallOptions(kDirectory);
    options.file_system = &hooked;
    writer = test::StartWriter(options);
  }
  ~FaultyRun() { released = true; }

  /// Appends a share of the events.
  void Append(int from, int to) {
    for (int i = from; i < to; ++i) {
      CHECK(test::AppendText(writer.get(), Text(i)) != AppendResult::kDropped);
      if (i % 4 == 3) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  std::vector<test::Item> Read() {
    auto options = test::ReaderOf(kDirectory, journal::ReadMode::kCommitted);
    options.file_system = &files;
    return test::ReadAll(journal::Reader::Open(options).get());
  }

  static std::string Text(int i) { return "event " + std::to_string(i) + std::string(5000, 'y'); }
  static std::vector<std::string> Texts() {
    std::vector<std::string> texts;
    for (int i = 0; i < kFaultEvents; ++i) texts.push_back(Text(i));
    return texts;
  }

  test::MemoryFiles files;
  test::HookFiles hooked;
  std::atomic<bool> released{false};  ///< a stuck operation has ended or may end
  std::atomic<bool> operations_of_appender{false};
  const std::thread::id appender = std::this_thread::get_id();
  test::WriterPtr writer;

 private:
  Status GoWrong(Fault fault) {
    if (fault == Fault::kSlow) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    if (fault == Fault::kStuck) {
      // An append that waits for the disk returns in the end, and finds it released.
      (void)test::WaitUntil([this] { return released.load(); });
      released = true;
    }
    return fault == Fault::kNoSpace || fault == Fault::kIo ? Failure(fault) : Status::Ok();
  }
};

uint64_t OperationsOfCleanRun() {
  FaultyRun run(Fault::kNone, 0);
  run.Append(0, kFaultEvents);
  REQUIRE(run.writer->Shutdown(test::kPatienceMs));
  return run.hooked.count();
}

uint64_t CountOf(const std::vector<test::Item>& items, const std::string& reason) {
  uint64_t count = 0;
  for (const auto& item : items) {
    if (item.is_gap() && test::ReasonOf(item) == reason) count += test::NumberOf(item, "count");
  }
  return count;
}

}  // namespace

TEST_CASE(
    "whatever operation fails, is slow or hangs, appends return in time and nothing is lost") {
  const uint64_t operations = OperationsOfCleanRun();
  CHECK(operations > 20);
  // The longest wait of an append, unless it waits for the disk.
  CHECK(journal::WriterOptions{}.commit_wait_us == 2000);
  for (const Fault fault : {Fault::kNoSpace, Fault::kIo, Fault::kSlow, Fault::kStuck}) {
    for (uint64_t at = 1; at <= operations; ++at) {
      CAPTURE(static_cast<int>(fault));
      CAPTURE(at);
      FaultyRun run(fault, at);
      run.Append(0, kFaultEvents / 2);
      run.Append(kFaultEvents / 2, kFaultEvents);
      CHECK_FALSE(run.released);
      run.released = true;
      CHECK(run.writer->Shutdown(test::kPatienceMs));
      CHECK(test::EventTexts(run.Read()) == FaultyRun::Texts());
      CHECK_FALSE(run.operations_of_appender);
      run.writer.reset();
    }
  }
}

TEST_CASE("a hanging disk costs each thread one wait, then memory up to its limit, then a gap") {
  auto options = test::SmallOptions(kDirectory);
  options.max_outstanding_bytes = 256 * journal::kKibibyte;
  constexpr auto kLongWait = std::chrono::seconds(2);
  options.commit_wait_us = static_cast<uint32_t>(std::chrono::microseconds(kLongWait).count());
  std::atomic<bool> hang{true};
  test::MemoryFiles files;
  test::HookFiles hooked(&files, [&](const test::Operation& operation) {
    while (operation.op == test::Op::kWrite && operation.size < 60000 && hang) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return Status::Ok();
  });
  options.file_system = &hooked;
  auto writer = test::StartWriter(options);
  const int events = static_cast<int>(test::Scaled(1000, 100));
  int dropped = 0;
  const auto start = Clock::now();
  for (int i = 0; i < events; ++i) {
    dropped += test::AppendText(writer.get(), FaultyRun::Text(i), i + 1) == AppendResult::kDropped;
  }
  const auto took = Clock::now() - start;
  // Memory takes some 50 records. Each of them would wait if a stuck disk were not remembered.
  const int kept = events - dropped;
  CHECK(kept < 60);
  CHECK(took < kLongWait * kept / 2);
  CHECK(writer->Stats().outstanding_bytes <= options.max_outstanding_bytes);
  CHECK_FALSE(writer->Shutdown(10));
  hang = false;
  CHECK(writer->Shutdown(test::kPatienceMs));
  auto reading = test::ReaderOf(kDirectory, journal::ReadMode::kDurable);
  reading.file_system = &files;
  const auto items = test::ReadAll(journal::Reader::Open(reading).get());
  const auto texts = test::EventTexts(items);
  CHECK(texts.size() + CountOf(items, "memory") == static_cast<uint64_t>(events));
  for (size_t i = 0; i < texts.size(); ++i) CHECK(texts[i] == FaultyRun::Text(static_cast<int>(i)));
}

TEST_CASE("a full disk is reported in the reserved tail, and recording resumes by itself") {
  test::MemoryFiles files;
  std::atomic<bool> full{false};
  test::HookFiles hooked(&files, [&](const test::Operation& operation) {
    return operation.op == test::Op::kCreate && full ? Failure(Fault::kNoSpace) : Status::Ok();
  });
  auto options = test::SmallOptions(kDirectory);
  options.max_outstanding_bytes = 100 * journal::kKibibyte;
  options.file_system = &hooked;
  auto writer = test::StartWriter(options);
  uint64_t appended = test::AppendUntilCommitted(writer.get(), "first");
  full = true;
  auto reading = test::ReaderOf(kDirectory, journal::ReadMode::kCommitted);
  reading.file_system = &files;
  auto reader = journal::Reader::Open(reading);
  std::vector<test::Item> items;
  // The first ones that find no memory may find none because the writer lags.
  const auto end = Clock::now() + std::chrono::milliseconds(test::kPatienceMs);
  while (CountOf(items, "disk-full") == 0 && Clock::now() < end) {
    for (int i = 0; i < 20; ++i, ++appended) {
      test::AppendText(writer.get(), FaultyRun::Text(i), 7);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    for (auto& item : test::ReadAll(reader.get())) items.push_back(item);
  }
  CHECK(CountOf(items, "disk-full") > 0);
  CHECK(writer->Stats().degraded);
  full = false;
  CHECK(writer->Shutdown(test::kPatienceMs));
  for (auto& item : test::ReadAll(reader.get())) items.push_back(item);
  CHECK(test::EventTexts(items).size() + CountOf(items, "disk-full") + CountOf(items, "memory") ==
        appended);
  CHECK_FALSE(writer->Stats().degraded);
  CHECK(test::AppendText(writer.get(), "after") != AppendResult::kDropped);
}

TEST_CASE("the cap of the journal and the floor of free space stop new segments, not the caller") {
  for (const bool floor : {false, true}) {
    test::MemoryFiles files;
    auto options = test::SmallOptions(kDirectory);
    options.max_outstanding_bytes = 100 * journal::kKibibyte;
    options.file_system = &files;
    if (!floor) options.max_journal_bytes = 200 * journal::kKibibyte;
    auto writer = test::StartWriter(options);
    test::AppendUntilCommitted(writer.get(), "first");
    if (floor) files.set_free_space(options.min_free_bytes);
    // Until it is full: while the writer lags, memory takes only some of them at a time.
    const auto end = Clock::now() + std::chrono::milliseconds(test::kPatienceMs);
    const auto reported = [&] { return writer->Stats().degraded && writer->Stats().dropped > 0; };
    for (int i = 0; !reported() && Clock::now() < end; ++i) {
      test::AppendText(writer.get(), FaultyRun::Text(i));
      if (i % 20 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    CHECK(reported());
    CHECK(files.total_bytes() <= 200 * journal::kKibibyte);
  }
}

TEST_CASE("a failed flush is reported, and the file is neither flushed nor written again") {
  test::MemoryFiles files;
  std::mutex mutex;
  std::string failed;
  int misuse = 0;
  test::HookFiles hooked(&files, [&](const test::Operation& operation) {
    const std::lock_guard guard(mutex);
    const bool flush = operation.op == test::Op::kFlush;
    misuse += flush && operation.path == failed;
    if (!flush || !failed.empty()) return Status::Ok();
    failed = operation.path;
    return Failure(Fault::kIo);
  });
  auto options = test::SmallOptions(kDirectory);
  options.file_system = &hooked;
  auto writer = test::StartWriter(options);
  for (int i = 0; i < kFaultEvents; ++i) {
    test::AppendText(writer.get(), FaultyRun::Text(i));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  REQUIRE(writer->Shutdown(test::kPatienceMs));
  auto reading = test::ReaderOf(kDirectory, journal::ReadMode::kDurable);
  reading.file_system = &files;
  const auto items = test::ReadAll(journal::Reader::Open(reading).get());
  CHECK(test::EventTexts(items) == FaultyRun::Texts());
  CHECK(misuse == 0);
  size_t gaps = 0;
  for (const auto& item : items) {
    if (!item.is_gap()) continue;
    ++gaps;
    CHECK(test::ReasonOf(item) == "flush-error");
    CHECK(test::NumberOf(item, "firstSequence") == 1);
    CHECK(test::NumberOf(item, "lastSequence") >= 1);
  }
  CHECK(gaps == 1);
}

TEST_CASE("a reader whose n-th operation fails gives the same in the end") {
  FaultyRun run(Fault::kNone, 0);
  run.Append(0, kFaultEvents);
  REQUIRE(run.writer->Shutdown(test::kPatienceMs));
  const auto expected = run.Read();
  for (uint64_t at = 1; at < 40; ++at) {
    test::HookFiles hooked(&run.files, [at](const test::Operation& operation) {
      return operation.number == at ? Failure(Fault::kIo) : Status::Ok();
    });
    auto options = test::ReaderOf(kDirectory, journal::ReadMode::kCommitted);
    options.file_system = &hooked;
    auto reader = journal::Reader::Open(options);
    const auto items = test::ReadUntil(
        reader.get(), [&](const auto& all) { return all.size() >= expected.size(); });
    CAPTURE(at);
    REQUIRE(items.size() == expected.size());
    for (size_t i = 0; i < items.size(); ++i) CHECK(items[i].id() == expected[i].id());
  }
}
