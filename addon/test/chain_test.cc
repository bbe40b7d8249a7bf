#include "chain.h"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>

#include "coding.h"
#include "support/journal_builder.h"
#include "support/journal_tools.h"
#include "support/temp_directory.h"

using test::kDirectory;

namespace {

constexpr uint64_t kChainSegmentBytes = 16384;
constexpr size_t kRecordHashPlace = 72;

/// One epoch with the events 0 to 4, and where they stand. Numbers: EPOCH has 1, event 0 has 2.
struct Chained {
  test::MemoryFiles files;
  test::JournalBuilder builder{&files, kDirectory};
  std::vector<uint64_t> offsets;
  journal::ReaderStats stats;

  Chained() {
    builder.Epoch(1, 0x41, kChainSegmentBytes);
    for (int i = 0; i < 5; ++i) {
      offsets.push_back(builder.offset());
      builder.Event("event " + std::to_string(i));
    }
    builder.Mark();
    builder.Seal();
  }

  uint8_t* frame(size_t event) { return files[builder.path()].data() + offsets[event]; }
  /// Makes both CRCs of a frame right, as somebody who changes a journal would.
  void Repair(size_t event) {
    const auto length = journal::Get<uint32_t>(frame(event));
    const uint8_t* payload = frame(event) + journal::kFrameHeaderSize;
    journal::Put(frame(event) + 8, journal::PayloadCrc(builder.id(), payload, length));
    journal::MoveFrameHeader(frame(event), {builder.id(), 0, offsets[event]});
  }
  std::vector<test::Item> Read() {
    auto options = test::ReaderOf(kDirectory, journal::ReadMode::kCommitted);
    options.file_system = &files;
    const auto reader = journal::Reader::Open(options);
    auto items = test::ReadAll(reader.get());
    stats = reader->Stats();
    return items;
  }
};

std::string Broken(const std::vector<test::Item>& items) {
  std::string broken;
  for (const test::Item& item : items) broken += item.is_chain_broken ? 'x' : '.';
  return broken;
}

/// True when each item follows the one before it.
bool IsChained(const std::vector<test::Item>& items) {
  for (size_t i = 1; i < items.size(); ++i) {
    if (items[i].previous_hash != items[i - 1].record_hash) return false;
  }
  return true;
}

/// Appends until the writer has taken the text; it may commit it later, on a slow machine.
void AppendOnce(journal::Writer* writer, const std::string& text) {
  while (test::AppendText(writer, text) == journal::AppendResult::kDropped) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace

TEST_CASE("a chain value is SHA-256 of the value before, the header's fields and the payload") {
  // Both computed with sha256sum.
  journal::EpochId id;
  std::memset(id.bytes, 0x11, sizeof(id.bytes));
  const journal::ChainValue start = journal::ChainStart(id, 7);
  journal::FrameHeader header;
  header.length = 3;
  header.epoch = 7;
  header.sequence = 2;
  header.time = 0x0102030405060708;
  header.type = journal::kEventFrame;
  header.schema = 1;
  header.previous_hash = start;
  const uint8_t payload[] = {'a', 'b', 'c'};
  const auto hex = [](const journal::ChainValue& value) {
    return test::Hex({reinterpret_cast<const char*>(value.bytes), sizeof(value.bytes)});
  };
  CHECK(hex(start) == "ea3a8119758de7303b1a947953bb2c8b50bf829af4f6431fcbe164c21e74714d");
  CHECK(hex(journal::ChainLink(header, payload)) ==
        "b3efa959a18e9223208e0bf13ff13f7753fbbd013ae8a2ff6190b39c7c86aa1e");
  header.flags = 9;
  header.payload_crc = 9;
  header.record_hash = start;
  CHECK(hex(journal::ChainLink(header, payload)) ==
        "b3efa959a18e9223208e0bf13ff13f7753fbbd013ae8a2ff6190b39c7c86aa1e");
}

TEST_CASE("a journal that nobody changed has a chain from its first frame to its last") {
  Chained journal;
  const auto items = journal.Read();
  CHECK(items.size() == 5);
  CHECK(Broken(items) == ".....");
  CHECK(IsChained(items));
  CHECK(journal.stats.broken_links == 0);
}

TEST_CASE("a record that was changed with all its CRCs is handed out and reported") {
  Chained journal;
  journal.frame(2)[journal::kFrameHeaderSize + 8] ^= 1;
  journal.Repair(2);
  const auto items = journal.Read();
  CHECK(Broken(items) == "..x..");
  CHECK(journal.stats.broken_links == 1);
  CHECK(journal.stats.broken_epoch == 1);
  CHECK(journal.stats.broken_sequence == 4);
}

TEST_CASE("each field of a header that events show is part of the chain") {
  for (const size_t place : {24u, 36u}) {  // time, schema
    CAPTURE(place);
    Chained journal;
    journal.frame(2)[place] ^= 2;
    journal.Repair(2);
    CHECK(Broken(journal.Read()) == "..x..");
  }
}

TEST_CASE("a record that was changed with its own chain value breaks the next link") {
  Chained journal;
  uint8_t* frame = journal.frame(2);
  frame[journal::kFrameHeaderSize + 8] ^= 1;
  journal::FrameHeader header;
  REQUIRE(
      journal::DecodeFrameHeader(frame, {journal.builder.id(), 0, journal.offsets[2]}, &header));
  const auto value = journal::ChainLink(header, frame + journal::kFrameHeaderSize);
  std::memcpy(frame + kRecordHashPlace, value.bytes, sizeof(value.bytes));
  journal.Repair(2);
  CHECK(Broken(journal.Read()) == "...x.");
}

TEST_CASE(
    "a record that was taken out, with all later ones renumbered, breaks the links after it") {
  Chained journal;
  for (size_t event = 2; event < 4; ++event) {
    const auto bytes = static_cast<size_t>(journal.offsets[event + 1] - journal.offsets[event]);
    std::memcpy(journal.frame(event), journal.frame(event + 1), bytes);
    journal::Put(journal.frame(event) + 16, uint64_t{event + 2});
    journal.Repair(event);
  }
  const auto items = journal.Read();
  CHECK(Broken(items).substr(0, 4) == "..xx");
}

TEST_CASE("records that a gap leaves out are missed in the numbers, not in the chain") {
  Chained journal;
  journal.frame(2)[journal::kFrameHeaderSize] ^= 1;
  const auto items = journal.Read();
  CHECK(Broken(items) == ".....");
  CHECK(test::ReasonOf(items[2]) == "corrupt");
  CHECK(items[2].record_hash.empty());
  CHECK(journal.stats.broken_links == 0);
}

TEST_CASE("a reader that starts in the middle takes the chain as it finds it") {
  Chained journal;
  const auto all = journal.Read();
  auto options = test::ReaderOf(kDirectory, journal::ReadMode::kCommitted);
  options.file_system = &journal.files;
  options.has_position = true;
  options.position = all[1].after;
  const auto items = test::ReadAll(journal::Reader::Open(options).get());
  REQUIRE(items.size() == 3);
  CHECK(Broken(items) == "...");
  CHECK(items[0].previous_hash == all[1].record_hash);
}

TEST_CASE("a SEAL that follows other records than those that are there is reported") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(1, 0x41, kChainSegmentBytes);
  builder.Event("one");
  const uint64_t seal = builder.offset();
  builder.Seal();
  files[builder.path()][seal + 40] ^= 1;
  journal::MoveFrameHeader(files[builder.path()].data() + seal, {builder.id(), 0, seal});
  auto options = test::ReaderOf(kDirectory, journal::ReadMode::kCommitted);
  options.file_system = &files;
  const auto reader = journal::Reader::Open(options);
  CHECK(test::ReadAll(reader.get()).size() == 1);
  CHECK(reader->Stats().broken_links == 1);
  CHECK(reader->Stats().broken_sequence == 3);
}

TEST_CASE(
    "the writer's chain runs through batches, segments and gaps, and each epoch has its own") {
  const test::TempDirectory directory;
  const std::string path = directory.str();
  auto options = test::SmallOptions(path);
  for (int epoch = 0; epoch < 2; ++epoch) {
    const auto writer = test::StartWriter(options);
    REQUIRE(writer != nullptr);
    for (int i = 0; i < 200; ++i) AppendOnce(writer.get(), std::string(3000, 'r'));
    writer->CountDropped(1000, 17);
    AppendOnce(writer.get(), std::string(300000, 'l'));
    REQUIRE(writer->Shutdown(test::kPatienceMs));
  }
  auto read = test::ReaderOf(path, journal::ReadMode::kCommitted);
  const auto reader = journal::Reader::Open(read);
  const auto items = test::ReadAll(reader.get());
  CHECK(reader->Stats().broken_links == 0);
  std::vector<std::vector<test::Item>> epochs;
  for (const test::Item& item : items) {
    CHECK_FALSE(item.is_chain_broken);
    if (epochs.empty() || epochs.back()[0].epoch_id != item.epoch_id) epochs.emplace_back();
    epochs.back().push_back(item);
  }
  REQUIRE(epochs.size() == 2);
  for (const auto& epoch : epochs) CHECK(IsChained(epoch));
  CHECK(epochs[0][0].previous_hash != epochs[1][0].previous_hash);
  CHECK(test::LostEvents(items) >= 2);
}
