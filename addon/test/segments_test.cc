#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/hook_files.h"
#include "support/journal_tools.h"
#include "support/memory_files.h"

using journal::AppendResult;
using journal::Status;

namespace {

const std::string kDirectory = "journal";

std::vector<test::Item> Read(test::MemoryFiles* files) {
  auto options = test::ReaderOf(kDirectory, journal::ReadMode::kCommitted);
  options.file_system = files;
  return test::ReadAll(journal::Reader::Open(options).get());
}

uint64_t Lost(const std::vector<test::Item>& items) {
  uint64_t lost = 0;
  for (const auto& item : items) {
    if (item.is_gap()) lost += test::NumberOf(item, "count");
  }
  return lost;
}

bool Wait(const std::function<bool()>& done) {
  for (int i = 0; i < 5000 && !done(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return done();
}

}  // namespace

TEST_CASE("a process that starts with the journal at its cap still tells what it lost") {
  for (const bool floor : {false, true}) {
    CAPTURE(floor);
    test::MemoryFiles files;
    auto options = test::SmallOptions(kDirectory);
    options.file_system = &files;
    options.first_segment_bytes = 1u << 20;
    options.max_outstanding_bytes = 100u << 10;
    if (floor) {
      files.set_free_space(options.min_free_bytes);
    } else {
      options.max_journal_bytes = 100;
    }
    constexpr int kEvents = 200;
    auto writer = test::StartWriter(options);
    for (int i = 0; i < kEvents; ++i) test::AppendText(writer.get(), std::string(5000, 'c'));
    REQUIRE(Wait([&] { return test::EventTexts(Read(&files)).size() > 20; }));
    CHECK(files.total_bytes() <= 256u << 10);
    REQUIRE(Wait([&] { return Lost(Read(&files)) > 0; }));
    CHECK(writer->Stats().degraded);
  }
}
