#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "support/hook_files.h"
#include "support/journal_tools.h"
#include "support/memory_files.h"
#include "support/scale.h"
#include "support/wait.h"

using test::kDirectory;

namespace {

constexpr size_t kSector = 512;
/// Enough for several segments. Not scaled: each cut replays all of them.
constexpr int kPowerCutEvents = 400;

/// An operation as it was recorded, and what the writer had reported durable before it.
struct Traced {
  test::Op op;
  std::string path;
  uint64_t offset;
  std::vector<uint8_t> data;
  uint64_t durable;
};

std::string Text(int i) {
  return "event " + std::to_string(i) + std::string(static_cast<size_t>(i % 97) * 20, 'p');
}

/// A run of the writer with everything that it did to its files.
struct Recording {
  std::vector<Traced> trace;
  std::map<uint64_t, std::string> events;  ///< by sequence

  Recording() {
    test::MemoryFiles files;
    std::mutex mutex;
    std::atomic<journal::Writer*> running{nullptr};
    test::HookFiles hooked(&files, [&](const test::Operation& operation) {
      const auto* bytes = static_cast<const uint8_t*>(operation.data);
      journal::Writer* writer = running;
      const uint64_t durable = writer == nullptr ? 0 : writer->Stats().durable_seq;
      const std::lock_guard guard(mutex);
      trace.push_back({operation.op,
                       operation.path,
                       operation.offset,
                       {bytes, bytes + operation.size * (bytes != nullptr)},
                       durable});
      return journal::Status::Ok();
    });
    auto options = test::SmallOptions(kDirectory);
    options.file_system = &hooked;
    options.flush_interval_ms = 2;
    auto writer = test::StartWriter(options);
    running = writer.get();
    for (int i = 0; i < kPowerCutEvents; ++i) {
      test::AppendText(writer.get(), Text(i));
      if (i % 5 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    REQUIRE(writer->Shutdown(test::kPatienceMs));
    running = nullptr;
    writer.reset();
    auto reading = test::ReaderOf(kDirectory, journal::ReadMode::kCommitted);
    reading.file_system = &files;
    for (const auto& item : test::ReadAll(journal::Reader::Open(reading).get())) {
      events[item.sequence] = item.payload;
    }
    REQUIRE(events.size() == kPowerCutEvents);
  }
};

/// Writes some of the sectors of a write.
void ApplyTorn(const Traced& write, test::MemoryFiles::Content* content, std::mt19937* random) {
  const size_t end = static_cast<size_t>(write.offset) + write.data.size();
  if (content->size() < end) content->resize(end);
  for (size_t at = 0; at < write.data.size();) {
    const size_t part = std::min(kSector - (write.offset + at) % kSector, write.data.size() - at);
    if ((*random)() % 2 == 0) {
      std::memcpy(content->data() + write.offset + at, write.data.data() + at, part);
    }
    at += part;
  }
}

/// What a power cut before operation `cut` leaves: everything before the last flush of a file, and
/// of the rest any sectors of any writes in any order; of files that were never flushed perhaps
/// nothing.
void Replay(const std::vector<Traced>& trace, size_t cut, std::mt19937* random,
            test::MemoryFiles* files) {
  std::map<std::string, size_t> flushed;
  std::map<std::string, std::vector<const Traced*>> loose;
  for (size_t i = 0; i < cut; ++i) {
    if (trace[i].op == test::Op::kFlush) flushed[trace[i].path] = i;
  }
  for (size_t i = 0; i < cut; ++i) {
    const Traced& write = trace[i];
    if (write.op != test::Op::kWrite) continue;
    const auto flush = flushed.find(write.path);
    if (flush == flushed.end() || i > flush->second) {
      loose[write.path].push_back(&write);
      continue;
    }
    auto& content = (*files)[write.path];
    const size_t end = static_cast<size_t>(write.offset) + write.data.size();
    if (content.size() < end) content.resize(end);
    std::memcpy(content.data() + write.offset, write.data.data(), write.data.size());
  }
  for (auto& [path, writes] : loose) {
    if (!flushed.contains(path) && (*random)() % 3 == 0) continue;
    std::shuffle(writes.begin(), writes.end(), *random);
    for (const Traced* write : writes) ApplyTorn(*write, &(*files)[path], random);
  }
}

}  // namespace

TEST_CASE("after a power cut everything reported durable is there and no event is wrong") {
  const Recording recording;
  std::mt19937 random(11);
  size_t kept = 0;
  size_t beyond = 0;
  const uint64_t cuts = test::Scaled(300);
  for (uint64_t i = 0; i < cuts; ++i) {
    const size_t cut = random() % recording.trace.size();
    const uint64_t durable = recording.trace[cut].durable;
    test::MemoryFiles files;
    Replay(recording.trace, cut, &random, &files);
    auto options = test::SmallOptions(kDirectory);
    options.file_system = &files;
    REQUIRE(test::StartWriter(options)->Shutdown(test::kPatienceMs));
    auto reading = test::ReaderOf(kDirectory, journal::ReadMode::kDurable);
    reading.file_system = &files;
    const auto items = test::ReadAll(journal::Reader::Open(reading).get());
    std::map<uint64_t, int> seen;
    size_t unclean = 0;
    for (const auto& item : items) {
      if (item.is_gap()) {
        unclean += test::ReasonOf(item) == "unclean-stop";
        continue;
      }
      const auto original = recording.events.find(item.sequence);
      REQUIRE(original != recording.events.end());
      REQUIRE(item.payload == original->second);
      REQUIRE(++seen[item.sequence] == 1);
    }
    for (const auto& event : recording.events) {
      if (event.first > durable) break;
      REQUIRE_MESSAGE(seen.contains(event.first), "lost " << event.first << " of " << durable);
    }
    CHECK(unclean <= 1);
    if (durable != 0 && durable < kPowerCutEvents) CHECK(unclean == 1);
    kept += seen.size();
    beyond += seen.size() - std::min<size_t>(seen.size(), durable);
  }
  MESSAGE(cuts << " cuts, " << kept << " events kept, about " << beyond
               << " beyond what was durable");
}
