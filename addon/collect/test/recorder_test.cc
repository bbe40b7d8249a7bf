#include "collect/recorder.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "scripted_source.h"
#include "support/hook_files.h"
#include "support/journal_tools.h"
#include "support/memory_files.h"
#include "support/scale.h"
#include "support/wait.h"

namespace collect {
namespace {

using journal::AppendResult;

/// A recorder over a journal in memory.
struct Journal {
  test::MemoryFiles files;
  FakeClock clock;
  test::WriterPtr writer;
  Recorder recorder;

  Journal() : writer(MakeWriter(&files)), recorder(*writer, u"My CA", clock) {}

  static test::WriterPtr MakeWriter(journal::FileSystem* files) {
    auto options = test::SmallOptions(test::kDirectory);
    options.file_system = files;
    return test::StartWriter(options);
  }

  std::vector<test::Item> Read(size_t count) { return ReadFrom(&files, count); }

  /// Waits until this many items can be read, since an append may return before its record is
  /// written; then reads what else is there.
  static std::vector<test::Item> ReadFrom(test::MemoryFiles* files, size_t count) {
    auto options = test::ReaderOf(test::kDirectory, journal::ReadMode::kCommitted);
    options.file_system = files;
    const auto reader = journal::Reader::Open(options);
    auto items =
        test::ReadUntil(reader.get(), [&](const auto& all) { return all.size() >= count; });
    for (auto& surplus : test::ReadAll(reader.get())) items.push_back(std::move(surplus));
    return items;
  }
};

bool Contains(const test::Item& item, std::string_view text) {
  return item.payload.find(text) != std::string::npos;
}

TEST_CASE("an event is in the journal with its time and the CA's name") {
  Journal journal;
  ScriptedSource source;
  source.bag.request[u"CallerName"] = BagValue::Text(u"DOMAIN\\user");
  CHECK(journal.recorder.Notify(kCertificateIssued, 5, source) != AppendResult::kDropped);
  const auto items = journal.Read(1);
  REQUIRE(items.size() == 1);
  CHECK(items[0].time == journal.clock.utc);
  CHECK(Contains(items[0], "My CA"));
  CHECK(Contains(items[0], "DOMAIN\\user"));
}

TEST_CASE(
    "a newer name that this CA has refused three times is neither asked for again nor a problem") {
  Journal journal;
  ScriptedSource source;
  source.intercept = [](std::u16string_view call) -> std::optional<BagValue> {
    const bool refused = call.find(u"LinterCertificate") != call.npos ||
                         call.find(u"DispositionMessage") != call.npos;
    return refused ? std::optional(BagValue::Failure(0x80070057)) : std::nullopt;
  };
  for (int32_t context = 1; context <= 5; ++context) {
    // The second and the fourth come half a second after the one before, and do not count.
    journal.clock.monotonic_ms += context % 2 == 0 ? 500 : 1'000;
    Record record;
    CHECK(journal.recorder.Notify(kCertificateIssued, context, source, &record) !=
          AppendResult::kDropped);
    CHECK(Problems(record) ==
          "request.DispositionMessage 80070057\nrequest.LinterCertificate 80070057\n");
  }
  source.calls.clear();
  Record last;
  CHECK(journal.recorder.Notify(kCertificateIssued, 6, source, &last) != AppendResult::kDropped);
  // Every CA knows the other one.
  CHECK(Problems(last) == "request.DispositionMessage 80070057\n");
  for (const auto& call : source.calls) CHECK(call.find(u"LinterCertificate") == call.npos);
}

TEST_CASE("a newer name that is refused at first and answered then is known") {
  Journal journal;
  ScriptedSource source;
  int events = 0;
  source.intercept = [&](std::u16string_view call) -> std::optional<BagValue> {
    const bool refused = events != 2 && call.find(u"LinterCertificate") != call.npos;
    return refused ? std::optional(BagValue::Failure(0x80070057)) : std::nullopt;
  };
  for (; events < 6; ++events) {
    journal.clock.monotonic_ms += 1'000;
    Record record;
    CHECK(journal.recorder.Notify(kCertificateIssued, 1 + events, source, &record) !=
          AppendResult::kDropped);
    CHECK(record.problems().size() == (events == 2 ? 0 : 1));
  }
}

TEST_CASE("a newer name that was answered once is known, whatever comes later") {
  Journal journal;
  ScriptedSource source;
  int failures = 0;
  source.intercept = [&](std::u16string_view call) -> std::optional<BagValue> {
    const bool refused = failures > 0 && call.find(u"LinterCertificate") != call.npos;
    return refused ? std::optional(BagValue::Failure(0x80070057)) : std::nullopt;
  };
  for (; failures < 3; ++failures) {
    Record record;
    CHECK(journal.recorder.Notify(kCertificateIssued, 1 + failures, source, &record) !=
          AppendResult::kDropped);
    CHECK(record.problems().size() == (failures > 0 ? 1 : 0));
  }
}

TEST_CASE("a newer name that cannot be read for another reason is asked for again") {
  Journal journal;
  ScriptedSource source;
  source.intercept = [](std::u16string_view call) -> std::optional<BagValue> {
    const bool refused = call.find(u"LinterCertificate") != call.npos;
    return refused ? std::optional(BagValue::Failure(0x80070005)) : std::nullopt;
  };
  for (int32_t context = 1; context <= 2; ++context) {
    Record record;
    CHECK(journal.recorder.Notify(kCertificateIssued, context, source, &record) !=
          AppendResult::kDropped);
    CHECK(Problems(record) == "request.LinterCertificate 80070005\n");
  }
}

TEST_CASE("after a fault events are still recorded, without asking the CA") {
  Journal journal;
  ScriptedSource faulty;
  faulty.intercept = [&](std::u16string_view call) -> std::optional<BagValue> {
    if (call != u"R.StatusCode") return std::nullopt;
    faulty.faulted = true;
    return BagValue::Failure(0xC0000005);
  };
  CHECK(journal.recorder.Notify(kCertificateIssued, 5, faulty) != AppendResult::kDropped);
  CHECK(journal.recorder.faulted());
  ScriptedSource source;
  CHECK(journal.recorder.Notify(kCertificateIssued, 6, source) != AppendResult::kDropped);
  CHECK(source.calls.empty());
  const auto items = journal.Read(2);
  REQUIRE(items.size() == 2);
  CHECK(Contains(items[0], "request.StatusCode"));
  CHECK(Contains(items[1], "server"));
  CHECK(Contains(items[1], "fault"));
}

TEST_CASE("a source that runs out of memory costs one event, which is counted") {
  Journal journal;
  ScriptedSource source;
  source.intercept = [](std::u16string_view) -> std::optional<BagValue> { throw std::bad_alloc(); };
  CHECK(journal.recorder.Notify(kCertificateIssued, 5, source) == AppendResult::kDropped);
  CHECK(journal.writer->Stats().dropped == 1);
}

TEST_CASE("start and shutdown are recorded, and events after the seal too") {
  Journal journal;
  ScriptedSource source;
  CHECK(journal.recorder.Started(source) != AppendResult::kDropped);
  CHECK(journal.recorder.Notify(kShutdown, 0, source) != AppendResult::kDropped);
  CHECK(journal.recorder.Shutdown(test::kPatienceMs));
  CHECK(journal.recorder.Notify(kCertificateIssued, 5, source) != AppendResult::kDropped);
  CHECK(journal.Read(3).size() == 3);
}

TEST_CASE("a shutdown returns while the disk is stuck, and nothing is lost") {
  static_assert(kShutdownWaitMs == 2000);
  std::atomic<bool> stuck{true};
  test::MemoryFiles files;
  test::HookFiles hooked(&files, [&](const test::Operation&) {
    // A shutdown that waits for the disk returns in the end, and finds it free.
    (void)test::WaitUntil([&] { return !stuck; });
    stuck = false;
    return journal::Status::Ok();
  });
  const FakeClock clock;
  const auto writer = Journal::MakeWriter(&hooked);
  Recorder recorder(*writer, u"My CA", clock);
  ScriptedSource source;
  CHECK(recorder.Notify(kShutdown, 0, source) != AppendResult::kDropped);
  CHECK_FALSE(recorder.Shutdown());
  CHECK(stuck);
  CHECK(recorder.Notify(kCertificateIssued, 5, source) != AppendResult::kDropped);
  CHECK(stuck);
  stuck = false;
  CHECK(recorder.Shutdown(test::kPatienceMs));
  CHECK(Journal::ReadFrom(&files, 2).size() == 2);
}

TEST_CASE("events of many threads are all recorded") {
  constexpr int kThreads = 8;
  const auto per_thread = static_cast<int>(test::Scaled(50));
  Journal journal;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int event = 0; event < per_thread; ++event) {
        PropertyBag bag;
        bag.request[u"RequestID"] = BagValue::Long(event);
        BagSource source(bag);
        journal.recorder.Notify(kCertificateIssued, event, source);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(journal.recorder.Shutdown(test::kPatienceMs));
  const auto events = static_cast<size_t>(kThreads * per_thread);
  CHECK(journal.Read(events).size() == events);
}

}  // namespace
}  // namespace collect
