#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <new>
#include <thread>

#include "buffer_pool.h"
#include "support/journal_tools.h"
#include "support/memory_files.h"
#include "support/scale.h"
#include "support/wait.h"

using test::kDirectory;

// The writer allocates only with std::nothrow; the test makes the n-th such allocation fail.
namespace {

std::atomic<int64_t> allocations{0};
std::atomic<int64_t> fail_from{0};  ///< 0: never
std::atomic<int64_t> fail_count{0};
std::atomic<int64_t> aligned_allocations{0};

bool Fails() {
  const int64_t number = ++allocations;
  const int64_t from = fail_from;
  return from != 0 && number >= from && number < from + fail_count;
}

}  // namespace

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return Fails() ? nullptr : ::operator new(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return Fails() ? nullptr : ::operator new[](size);
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  ++aligned_allocations;
  return Fails() ? nullptr : ::operator new(size, alignment);
}

namespace {

struct ScopedFailure {
  ScopedFailure(int64_t from, int64_t count) {
    allocations = 0;
    fail_count = count;
    fail_from = from;
  }
  ~ScopedFailure() { End(); }
  void End() { fail_from = 0; }
};

}  // namespace

TEST_CASE("whichever allocation fails, every record is delivered or counted") {
  constexpr int kEvents = 20;
  for (int64_t from = 1; from <= 30; ++from) {
    for (const int64_t count : {1, 5}) {
      CAPTURE(from);
      CAPTURE(count);
      test::MemoryFiles files;
      auto options = test::SmallOptions(kDirectory);
      options.file_system = &files;
      ScopedFailure failure(from, count);
      test::WriterPtr writer(journal::Writer::Create(options));
      if (writer == nullptr) continue;
      REQUIRE(writer->Start().ok());
      for (int i = 0; i < kEvents; ++i) {
        test::AppendText(writer.get(), std::string(9000, 'm'), i + 1);
      }
      REQUIRE(writer->Shutdown(test::kPatienceMs));
      failure.End();
      const auto items = test::ReadCommitted(&files);
      CHECK(test::EventTexts(items).size() + test::LostEvents(items) == kEvents);
    }
  }
}

TEST_CASE("no allocation asks for an alignment, whose form in the C++ library may throw") {
  aligned_allocations = 0;
  test::MemoryFiles files;
  auto options = test::SmallOptions(kDirectory);
  options.file_system = &files;
  const test::WriterPtr writer = test::StartWriter(options);
  test::AppendText(writer.get(), std::string(20000, 'm'));
  CHECK(aligned_allocations == 0);
}

TEST_CASE("a large record that finds no memory takes none from small ones at the same time") {
  journal::BufferPool pool(journal::kMebibyte);
  std::atomic<bool> stop{false};
  std::thread large([&] {
    while (!stop) CHECK(pool.Acquire(2 * journal::kMebibyte) == nullptr);
  });
  int refused = 0;
  const uint64_t rounds = test::Scaled(200000);
  for (uint64_t i = 0; i < rounds; ++i) {
    journal::Buffer* buffer = pool.Acquire(100);
    if (buffer == nullptr) {
      ++refused;
    } else {
      pool.Release(buffer);
    }
  }
  stop = true;
  large.join();
  CHECK(refused == 0);
}

TEST_CASE("producers that stop while they encode hold their own buffers only") {
  test::MemoryFiles files;
  auto options = test::SmallOptions(kDirectory);
  options.file_system = &files;
  options.max_outstanding_bytes = journal::kMebibyte;
  auto writer = test::StartWriter(options);
  std::vector<journal::Buffer*> frozen;
  for (int i = 0; i < 50; ++i) frozen.push_back(writer->Acquire(2000));
  const uint64_t events = test::Scaled(2000);
  for (uint64_t i = 0; i < events; ++i) {
    // A writer that lags would fill the memory.
    REQUIRE(test::WaitUntil(
        [&] { return writer->Stats().outstanding_bytes < options.max_outstanding_bytes / 2; }));
    REQUIRE(test::AppendText(writer.get(), "event " + std::to_string(i)) !=
            journal::AppendResult::kDropped);
  }
  CHECK(writer->Shutdown(test::kPatienceMs));
  CHECK(test::ReadCommitted(&files).size() == events);
  for (journal::Buffer* buffer : frozen) writer->Release(buffer);
  CHECK(writer->Stats().outstanding_bytes == 0);
}

TEST_CASE("a writer that was never started holds what it can and ends cleanly") {
  test::MemoryFiles files;
  auto options = test::SmallOptions(kDirectory);
  options.file_system = &files;
  options.max_outstanding_bytes = 64 * journal::kKibibyte;
  const test::WriterPtr writer(journal::Writer::Create(options));
  int dropped = 0;
  for (int i = 0; i < 100; ++i) {
    dropped +=
        test::AppendText(writer.get(), std::string(1000, 'n')) == journal::AppendResult::kDropped;
  }
  CHECK(dropped > 0);
  CHECK_FALSE(writer->Shutdown(5));
  CHECK(files.paths().empty());
}

TEST_CASE("the memory limit of the settings applies as soon as they are read") {
  test::MemoryFiles files;
  auto options = test::SmallOptions(kDirectory);
  options.file_system = &files;
  const test::WriterPtr writer(journal::Writer::Create(options));
  const std::string text(1000, 'n');
  for (int i = 0; i < 100; ++i) {
    REQUIRE(test::AppendText(writer.get(), text) != journal::AppendResult::kDropped);
  }
  options.max_outstanding_bytes = 64 * journal::kKibibyte;
  REQUIRE(writer->Configure(options).ok());
  CHECK(test::AppendText(writer.get(), text) == journal::AppendResult::kDropped);
}

TEST_CASE("a record is between 1 byte and 16 MiB") {
  test::MemoryFiles files;
  auto options = test::SmallOptions(kDirectory);
  options.file_system = &files;
  auto writer = test::StartWriter(options);
  CHECK(writer->Acquire(16 * journal::kMebibyte + 1) == nullptr);
  const std::string large(16 * journal::kMebibyte, 'L');
  CHECK(test::AppendText(writer.get(), large) != journal::AppendResult::kDropped);
  CHECK(test::AppendText(writer.get(), "small") != journal::AppendResult::kDropped);
  CHECK(test::AppendText(writer.get(), "") == journal::AppendResult::kDropped);
  REQUIRE(writer->Shutdown(test::kPatienceMs));
  const auto items = test::ReadCommitted(&files);
  REQUIRE(items.size() == 3);
  CHECK(items[0].payload == large);
  CHECK(items[1].payload == "small");
  CHECK(test::LostEvents(items) == 1);
}
