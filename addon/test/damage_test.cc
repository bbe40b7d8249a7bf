#include <doctest/doctest.h>

#include <map>
#include <set>

#include "support/journal_builder.h"
#include "support/journal_tools.h"

using test::kDirectory;

namespace {

constexpr uint64_t kDamageSegmentBytes = 6144;

/// Three epochs with all frame types; the second one is what gets damaged.
struct Golden {
  test::MemoryFiles files;
  std::vector<std::string> victims;
  std::vector<test::Item> items;

  Golden() {
    test::JournalBuilder builder(&files, kDirectory);
    builder.Epoch(1, 0x11, kDamageSegmentBytes);
    builder.Event("first epoch");
    builder.Seal();
    builder.Epoch(2, 0x22, kDamageSegmentBytes);
    victims.push_back(builder.path());
    for (int i = 0; i < 6; ++i) builder.Event("event " + std::to_string(i) + std::string(60, 'a'));
    builder.Mark();
    journal::GapInfo gap;
    gap.reason = "memory";
    gap.count = 3;
    builder.Gap(gap);
    builder.Frame(journal::kIgnorableType | 9, 1, {1, 2, 3});
    builder.Event("behind the unknown frame");
    builder.Segment(kDamageSegmentBytes);
    victims.push_back(builder.path());
    for (int i = 6; i < 10; ++i) builder.Event("event " + std::to_string(i));
    builder.Mark();
    builder.Seal();
    builder.Event("behind the seal");
    builder.Seal();
    builder.Mark();
    builder.Epoch(3, 0x33, kDamageSegmentBytes);
    builder.Event("third epoch");
    builder.Mark();
    items = Read();
  }

  std::vector<test::Item> Read() {
    auto options = test::ReaderOf(kDirectory, journal::ReadMode::kDurable);
    options.file_system = &files;
    return test::ReadAll(journal::Reader::Open(options).get());
  }
};

/// Checks that `items` is what was there, less frames that a gap accounts for; returns how many are
/// lost.
size_t LostAndAccounted(const std::vector<test::Item>& before, const std::vector<test::Item>& items,
                        const std::string& context) {
  size_t at = 0;
  std::vector<const test::Item*> gaps;
  std::vector<const test::Item*> lost;
  for (const test::Item& item : items) {
    if (item.index == journal::kReaderGapIndex) {
      gaps.push_back(&item);
      continue;
    }
    while (at < before.size() && before[at].id() != item.id()) lost.push_back(&before[at++]);
    REQUIRE_MESSAGE(at < before.size(), context << ": invented or out of order: " << item.id());
    REQUIRE_MESSAGE(before[at].payload == item.payload, context << ": wrong payload");
    REQUIRE_MESSAGE(before[at].time == item.time, context << ": wrong time");
    ++at;
  }
  while (at < before.size()) lost.push_back(&before[at++]);
  for (const test::Item* item : lost) {
    bool accounted = false;
    for (const test::Item* gap : gaps) {
      const uint64_t last = test::NumberOf(*gap, "lastSequence");
      accounted |= gap->epoch_id == item->epoch_id && gap->sequence <= item->sequence &&
                   (last == 0 || item->sequence <= last);
    }
    REQUIRE_MESSAGE(accounted, context << ": not accounted for: " << item->id());
  }
  return lost.size();
}

/// Every bit in the plain build. The sanitizers check the same code at every seventh, which takes
/// them minutes less, and still comes to each place of a byte.
#ifdef CERTWIRE_SANITIZED
constexpr size_t kBitStride = 7;
#else
constexpr size_t kBitStride = 1;
#endif

}  // namespace

TEST_CASE("the undamaged journal gives its events and no gap of the reader's own") {
  Golden golden;
  CHECK(golden.items.size() == 15);
  for (const auto& item : golden.items) CHECK(item.index == 0);
}

TEST_CASE("a single flipped bit costs at most its own frame, which is accounted for") {
  Golden golden;
  size_t flips = 0;
  size_t losses = 0;
  for (const std::string& victim : golden.victims) {
    for (size_t bit = 0; bit < kDamageSegmentBytes * 8; bit += kBitStride) {
      golden.files[victim][bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
      const std::string context = victim + " bit " + std::to_string(bit);
      const size_t lost = LostAndAccounted(golden.items, golden.Read(), context);
      REQUIRE_MESSAGE(lost <= 1, context);
      losses += lost;
      ++flips;
      golden.files[victim][bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    }
  }
  MESSAGE(flips << " flips, " << losses << " of them cost one frame, no other loss");
  CHECK(losses > 1000 / kBitStride);
}

TEST_CASE("a file cut at any byte loses nothing before the cut, and the rest is accounted for") {
  Golden golden;
  for (const std::string& victim : golden.victims) {
    const auto whole = golden.files[victim];
    for (size_t size = 0; size < whole.size(); ++size) {
      golden.files[victim].assign(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
      const std::string context = victim + " cut at " + std::to_string(size);
      const auto items = golden.Read();
      LostAndAccounted(golden.items, items, context);
      std::set<std::string> ids;
      for (const auto& item : items) ids.insert(item.id());
      for (const auto& item : golden.items) {
        const bool elsewhere = item.after.epoch_number != 2 ||
                               !victim.ends_with(std::to_string(item.after.segment) + ".cej");
        if (elsewhere || (size >= 100 && item.after.offset <= size)) {
          REQUIRE_MESSAGE(ids.contains(item.id()), context << ": lost " << item.id());
        }
      }
    }
    golden.files[victim] = whole;
  }
}

TEST_CASE("a damaged journal reads the same each time, and from every position") {
  Golden golden;
  auto& content = golden.files[golden.victims[0]];
  for (const size_t at : {4096u + 100u, 4096u + 300u, 4096u + 500u}) {
    content[at] ^= 0x40;
    const auto all = golden.Read();
    for (size_t i = 0; i < all.size(); ++i) {
      auto options = test::ReaderOf(kDirectory, journal::ReadMode::kDurable);
      options.file_system = &golden.files;
      options.has_position = true;
      options.position = all[i].after;
      const auto rest = test::ReadAll(journal::Reader::Open(options).get());
      REQUIRE(rest.size() == all.size() - i - 1);
      for (size_t k = 0; k < rest.size(); ++k) {
        CHECK(rest[k].id() == all[i + 1 + k].id());
        CHECK(rest[k].payload == all[i + 1 + k].payload);
      }
    }
  }
}

TEST_CASE("an epoch of which only a MARK is left has two gaps with different ids") {
  test::MemoryFiles files;
  test::JournalBuilder builder(&files, kDirectory);
  builder.Epoch(1, 0x11, kDamageSegmentBytes);
  builder.Mark();
  files[builder.path()][journal::kSegmentHeaderSize] ^= 1;
  builder.Epoch(2, 0x22, kDamageSegmentBytes);
  auto options = test::ReaderOf(kDirectory, journal::ReadMode::kDurable);
  options.file_system = &files;
  const auto items = test::ReadAll(journal::Reader::Open(options).get());
  REQUIRE(items.size() == 2);
  CHECK(test::ReasonOf(items[0]) == "corrupt");
  CHECK(test::ReasonOf(items[1]) == "unclean-stop");
  CHECK(items[0].id() != items[1].id());
}
