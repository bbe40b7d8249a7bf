#include <doctest/doctest.h>

#include <thread>

#include "support/journal_tools.h"
#include "support/scale.h"
#include "support/temp_directory.h"
#include "support/wait.h"

using journal::AppendResult;
using journal::ReadMode;

namespace {

std::vector<std::string> Numbered(uint64_t count, size_t size = 0) {
  std::vector<std::string> texts;
  for (uint64_t i = 0; i < count; ++i) {
    texts.push_back("event " + std::to_string(i) + std::string(size, 'x'));
  }
  return texts;
}

}  // namespace

TEST_CASE("what was appended is read in order, and a sealed epoch leaves no gap") {
  const test::TempDirectory directory;
  const std::string path = directory.str();
  const auto texts = Numbered(test::Scaled(2000), 300);
  {
    auto writer = test::StartWriter(test::SmallOptions(path));
    REQUIRE(writer);
    for (const auto& text : texts)
      REQUIRE(test::AppendText(writer.get(), text) != AppendResult::kDropped);
    REQUIRE(writer->Shutdown(test::kPatienceMs));
  }
  CHECK(test::EventTexts(test::ReadDirectory(path)) == texts);
  {
    auto next = test::StartWriter(test::SmallOptions(path));
    REQUIRE(next->Shutdown(test::kPatienceMs));
  }
  const auto items = test::ReadDirectory(path);
  CHECK(test::EventTexts(items) == texts);
  CHECK(items.size() == texts.size());
}

TEST_CASE("an epoch without a seal gives one unclean-stop when the next begins") {
  const test::TempDirectory directory;
  const std::string path = directory.str();
  {
    auto writer = test::StartWriter(test::SmallOptions(path));
    test::AppendText(writer.get(), "one");
  }
  CHECK(test::ReadDirectory(path).size() == 1);
  {
    auto writer = test::StartWriter(test::SmallOptions(path));
    test::AppendText(writer.get(), "two");
  }
  const auto items = test::ReadDirectory(path);
  REQUIRE(items.size() == 3);
  CHECK(items[0].payload == "one");
  CHECK(test::ReasonOf(items[1]) == "unclean-stop");
  CHECK(items[1].epoch_id == items[0].epoch_id);
  CHECK(items[1].index == journal::kReaderGapIndex);
  CHECK(items[2].payload == "two");
  CHECK(items[2].epoch_id != items[0].epoch_id);
}

TEST_CASE("a durable reader follows a live writer by its MARK frames") {
  const test::TempDirectory directory;
  const std::string path = directory.str();
  auto options = test::ReaderOf(path, ReadMode::kDurable);
  options.unmarked_after_ms = 2 * test::kPatienceMs;
  auto reader = journal::Reader::Open(options);
  auto writer = test::StartWriter(test::SmallOptions(path));
  const auto texts = Numbered(test::Scaled(500, 10), 2000);
  std::thread appender([&] {
    for (const auto& text : texts) test::AppendText(writer.get(), text);
  });
  const auto items =
      test::ReadUntil(reader.get(), [&](const auto& all) { return all.size() >= texts.size(); });
  appender.join();
  CHECK(test::EventTexts(items) == texts);
  CHECK(reader->Stats().unmarked_frames == 0);
  uint64_t appends = 0;
  for (const uint64_t count : reader->Times().append.buckets) appends += count;
  CHECK(appends > 0);
}

TEST_CASE("every position that was handed out leads to exactly what follows it") {
  const test::TempDirectory directory;
  const std::string path = directory.str();
  // Enough for two segments an epoch. Not scaled: each event reads all later ones.
  constexpr uint64_t kEvents = 60;
  constexpr int kEpochs = 3;
  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    auto writer = test::StartWriter(test::SmallOptions(path));
    for (const auto& text : Numbered(kEvents, 2000)) test::AppendText(writer.get(), text);
    if (epoch == 1) REQUIRE(writer->Shutdown(test::kPatienceMs));
  }
  const auto all = test::ReadDirectory(path);
  const size_t unclean_stop = 1;  // of the first epoch; the second is sealed, the third is live
  REQUIRE(all.size() == kEpochs * kEvents + unclean_stop);
  for (size_t i = 0; i < all.size(); ++i) {
    auto options = test::ReaderOf(path, ReadMode::kCommitted);
    options.has_position = true;
    options.position = all[i].after;
    auto reader = journal::Reader::Open(options);
    const auto rest = test::ReadAll(reader.get());
    REQUIRE(rest.size() == all.size() - i - 1);
    CHECK_FALSE(reader->Stats().position_lost);
    for (size_t k = 0; k < rest.size(); ++k) {
      CHECK(rest[k].id() == all[i + 1 + k].id());
      CHECK(rest[k].payload == all[i + 1 + k].payload);
      CHECK(rest[k].time == all[i + 1 + k].time);
    }
  }
}
