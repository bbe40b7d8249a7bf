#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>

#include "journal/cbor.h"
#include "support/journal_builder.h"
#include "support/journal_tools.h"

using test::kDirectory;

// The golden journals under test/fixtures/journal: made here, read by other implementations. Run
// with CERTWIRE_WRITE_GOLDEN=1 to write them again.
namespace {

namespace fs = std::filesystem;
constexpr uint64_t kGoldenSegmentBytes = 8192;
const std::string kFirst = kDirectory + "/e0000000001-s000000.cej";
const std::string kSecond = kDirectory + "/e0000000002-s000000.cej";
const std::string kSecondNext = kDirectory + "/e0000000002-s000001.cej";
const std::string kLive = kDirectory + "/e0000000003-s000000.cej";

struct Variant {
  std::string name;
  std::string description;
  std::function<void(test::MemoryFiles*)> damage;
  std::vector<std::string> expected;  ///< text of an event, or reason and range of a gap
};

/// Where the frames of the second epoch's first segment lie.
std::vector<uint64_t> offsets;
uint64_t live_tail;

/// Three epochs with all frame types; the third one is live.
void BuildClean(test::MemoryFiles* files) {
  test::JournalBuilder builder(files, kDirectory);
  builder.Epoch(1, 0xa1, kGoldenSegmentBytes);
  builder.Event("one");
  builder.Mark();
  builder.Seal();
  builder.Epoch(2, 0xb2, kGoldenSegmentBytes);
  offsets.clear();
  for (int i = 0; i < 8; ++i) {
    offsets.push_back(builder.offset());
    builder.Event("two " + std::to_string(i) + std::string(static_cast<size_t>(i) * 40, '.'));
  }
  builder.Mark();
  journal::GapInfo gap;
  gap.reason = "memory";
  gap.count = 2;
  gap.first_time = 133000000000000001;
  gap.last_time = 133000000000000002;
  gap.request_ids[0] = 17;
  gap.request_id_count = 1;
  builder.Gap(gap);
  builder.Frame(journal::kIgnorableType | 1, 1, {0xa0});
  builder.Segment(kGoldenSegmentBytes);
  builder.Event("two, next segment");
  builder.Mark();
  builder.Seal();
  builder.Event("two, behind the seal");
  builder.Seal();
  builder.Epoch(3, 0xc3, kGoldenSegmentBytes);
  builder.Event("three");
  builder.Mark();
  builder.Event("three, not marked");
  live_tail = builder.offset();
}

std::string DotsOf(int i) { return std::string(static_cast<size_t>(i) * 40, '.'); }

/// The clean content, with some of its items replaced by one other.
std::vector<std::string> Expect(size_t from, size_t to, std::vector<std::string> instead) {
  std::vector<std::string> items = {"one"};
  for (int i = 0; i < 8; ++i) items.push_back("two " + std::to_string(i) + DotsOf(i));
  for (const char* text :
       {"memory 0-0", "two, next segment", "two, behind the seal", "three", "three, not marked"}) {
    items.push_back(text);
  }
  items.erase(items.begin() + static_cast<ptrdiff_t>(from),
              items.begin() + static_cast<ptrdiff_t>(to));
  items.insert(items.begin() + static_cast<ptrdiff_t>(from), instead.begin(), instead.end());
  return items;
}

void Zero(test::MemoryFiles* files, const std::string& path, uint64_t from, uint64_t to) {
  auto& content = (*files)[path];
  std::fill(content.begin() + static_cast<ptrdiff_t>(from),
            content.begin() + static_cast<ptrdiff_t>(to), uint8_t{0});
}

void Plant(test::MemoryFiles* files) {
  (*files)[kDirectory + "/e4294967295-s000000.cej"].assign(100, 'x');
  (*files)[kDirectory + "/e0000000002-s000007.cej"].clear();
  (*files)[kDirectory + "/readme.txt"].assign(3, 'y');
  (*files)[kDirectory + "/e0000000009-s000000.cej"] = (*files)[kFirst];  // under another name
}

void MoveBatch(test::MemoryFiles* files) {
  files->Delete(kLive.c_str()).ok();
  files->Delete(kSecondNext.c_str()).ok();
  test::JournalBuilder builder(files, kDirectory);
  builder.Epoch(2, 0xb2, kGoldenSegmentBytes);
  builder.Event("kept");
  builder.Event("written twice");
  const uint64_t torn = builder.offset();
  builder.Event("torn");
  Zero(files, kSecond, torn + 20, kGoldenSegmentBytes);
  builder.RepeatFrom(3);
  builder.Segment(kGoldenSegmentBytes);
  builder.Event("written twice");
  builder.Event("torn");
  builder.Seal();
}

void TornLiveTail(test::MemoryFiles* files) {
  auto& content = (*files)[kLive];
  std::fill_n(content.begin() + static_cast<ptrdiff_t>(live_tail), 25, uint8_t{0x5a});
}

/// Frames of another segment at the tail: what a disk's old bytes look like.
void StaleTail(test::MemoryFiles* files) {
  const auto& old = (*files)[kSecond];
  auto& content = (*files)[kLive];
  std::copy(old.begin() + 4096, old.begin() + 5000,
            content.begin() + static_cast<ptrdiff_t>(live_tail));
}

std::vector<Variant> Variants() {
  return {
      {"clean", "three epochs with all frame types", [](auto*) {}, Expect(0, 0, {})},
      {"bad-payload", "one flipped bit in a payload",
       [](auto* files) { (*files)[kSecond][offsets[3] + journal::kFrameHeaderSize + 5] ^= 1; },
       Expect(4, 5, {"corrupt 5-5"})},
      {"bad-frame-header", "one flipped bit in the length of a frame",
       [](auto* files) { (*files)[kSecond][offsets[3]] ^= 4; }, Expect(4, 5, {"corrupt 5-5"})},
      {"bad-segment-header", "the first copy of a segment header is destroyed",
       [](auto* files) { Zero(files, kSecond, 0, 512); }, Expect(0, 0, {})},
      {"lost-sectors", "512 bytes across several frames are zeros",
       [](auto* files) { Zero(files, kSecond, offsets[2], offsets[2] + 512); },
       Expect(3, 6, {"corrupt 4-6"})},
      {"missing-segment", "the first segment of an epoch is gone",
       [](auto* files) { files->Delete(kSecond.c_str()).ok(); },
       Expect(1, 10, {"missing-segment 1-11"})},
      {"missing-epoch", "a whole epoch is gone, the next one names it",
       [](auto* files) {
         files->Delete(kSecond.c_str()).ok();
         files->Delete(kSecondNext.c_str()).ok();
       },
       Expect(1, 12, {"missing-segment 4-0"})},
      {"torn-tail", "an ended epoch breaks off in the middle of its last frame",
       [](auto* files) {
         files->Delete(kSecondNext.c_str()).ok();
         Zero(files, kSecond, offsets[7] + journal::kFrameHeaderSize + 20, kGoldenSegmentBytes);
       },
       Expect(8, 12, {"unclean-stop 9-0"})},
      {"cut-behind-seal", "a file that was filled is shorter than planned, and ends with a SEAL",
       [](auto* files) { (*files)[kFirst].resize(4096 + 112 + 120 + 112 + 112); },
       Expect(1, 1, {"unclean-stop 4-0"})},
      {"moved-batch",
       "frames of one batch stand in two segments",
       MoveBatch,
       {"one", "kept", "written twice", "torn"}},
      {"planted", "files that are not segments", Plant, Expect(0, 0, {})},
      {"torn-live-tail", "the live epoch ends in bytes that are not a frame", TornLiveTail,
       Expect(0, 0, {})},
      {"stale-tail", "the live epoch ends in frames of another segment", StaleTail,
       Expect(0, 0, {})},
  };
}

std::string Describe(const test::Item& item) {
  if (!item.is_gap()) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(item.payload.data());
    journal::CborCursor cursor(bytes, item.payload.size());
    journal::CborHead text;
    REQUIRE(journal::FindCborKey(&cursor, "text"));
    REQUIRE(cursor.NextHead(&text));
    return item.payload.substr(item.payload.size() - text.value);
  }
  return test::ReasonOf(item) + " " + std::to_string(test::NumberOf(item, "firstSequence")) + "-" +
         std::to_string(test::NumberOf(item, "lastSequence"));
}

std::string Joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

std::string ExpectedJson(const Variant& variant, const std::vector<test::Item>& items) {
  nlohmann::ordered_json json;
  json["description"] = variant.description;
  json["mode"] = "committed";
  json["entries"] = nlohmann::json::array();
  for (const auto& item : items) {
    json["entries"].push_back({{"type", item.type},
                               {"index", item.index},
                               {"epochNumber", item.after.epoch_number},
                               {"epochId", item.epoch_id},
                               {"sequence", std::to_string(item.sequence)},
                               {"time", std::to_string(item.time)},
                               {"payload", test::Hex(item.payload)}});
    if (item.index == 0) {
      json["entries"].back()["previousHash"] = item.previous_hash;
      json["entries"].back()["recordHash"] = item.record_hash;
    }
  }
  return json.dump(2) + "\n";
}

std::string FileContent(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void Compare(const fs::path& path, const std::string& content, bool write) {
  if (write) std::ofstream(path, std::ios::binary) << content;
  CHECK_MESSAGE(FileContent(path) == content, path.filename().string());
}

}  // namespace

TEST_CASE("the golden journals are what this writer and this reader make of them") {
  const bool write = std::getenv("CERTWIRE_WRITE_GOLDEN") != nullptr;
  for (const Variant& variant : Variants()) {
    CAPTURE(variant.name);
    test::MemoryFiles files;
    BuildClean(&files);
    variant.damage(&files);
    const auto items = test::ReadCommitted(&files);
    std::vector<std::string> found;
    for (const auto& item : items) found.push_back(Describe(item));
    CHECK(Joined(found) == Joined(variant.expected));
    const fs::path folder = fs::path(CERTWIRE_FIXTURES) / variant.name;
    if (write) fs::create_directories(folder);
    for (const auto& path : files.paths()) {
      const auto& content = files[path];
      Compare(folder / fs::path(path).filename(), {content.begin(), content.end()}, write);
    }
    Compare(folder / "expected.json", ExpectedJson(variant, items), write);
  }
}
