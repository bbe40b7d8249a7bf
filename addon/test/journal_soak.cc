// Writes and reads a journal for a long time and deletes everything that was read; checks that
// neither memory nor file descriptors grow, and that every event is read.
//   journal_soak EVENTS
// Linux only: it measures itself through /proc.
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "support/journal_tools.h"
#include "support/scale.h"
#include "support/temp_directory.h"
#include "support/wait.h"

namespace {

/// Fewer do not show whether memory grows.
constexpr uint64_t kLeastEvents = 10000;
constexpr uint64_t kThreads = 4;
constexpr size_t kRecordBytes = 600;
constexpr uint64_t kMayGrowBytes = 8 * journal::kMebibyte;
/// Lock, segment, spare, and two of the reader's; with some to spare.
constexpr uint64_t kOpenFiles = 9;
constexpr uint64_t kWaitingBytes = journal::kMebibyte;
constexpr uint64_t kBatchesBetweenDeletions = 50;

/// What this process holds.
struct Held {
  uint64_t descriptors = 0;
  uint64_t memory = 0;  ///< resident bytes
};

Held MeasureHeld() {
  Held held;
  const std::filesystem::directory_iterator descriptors("/proc/self/fd");
  held.descriptors = static_cast<uint64_t>(std::distance(begin(descriptors), end(descriptors)));
  uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  held.memory = pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return held;
}

void Append(journal::Writer* writer, uint64_t events) {
  const std::string text(kRecordBytes, 's');
  for (uint64_t i = 0; i < events; ++i) {
    test::AppendText(writer, text);
    // While the disk lags, memory would grow as it is meant to.
    while (writer->Stats().outstanding_bytes > kWaitingBytes) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
}

void DeleteBefore(const test::TempDirectory& directory, uint32_t segment) {
  for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
    unsigned epoch;
    unsigned index;
    const std::string name = entry.path().filename().string();
    if (std::sscanf(name.c_str(), "e%10u-s%6u", &epoch, &index) == 2 && index < segment) {
      std::filesystem::remove(entry.path());
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const uint64_t events =
      test::Scaled(static_cast<uint64_t>(argc > 1 ? std::atoll(argv[1]) : 1000000), kLeastEvents);
  const test::TempDirectory directory;
  const std::string name = directory.str();
  const Held before = MeasureHeld();
  auto options = test::SmallOptions(name);
  options.max_segment_bytes = journal::kMebibyte;
  auto writer = test::StartWriter(options);
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] { Append(writer.get(), events / kThreads); });
  }
  auto reader = journal::Reader::Open(test::ReaderOf(name, journal::ReadMode::kDurable));
  const uint64_t expected = events / kThreads * kThreads;
  uint64_t delivered = 0;
  Held early;
  uint64_t most_memory = 0;
  journal::Batch batch;
  for (uint64_t i = 0; delivered < expected && reader->Read(&batch).ok(); ++i) {
    delivered += batch.entries.size();
    if (batch.entries.empty()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      continue;
    }
    if (i % kBatchesBetweenDeletions == 0) DeleteBefore(directory, batch.entries.back().segment);
    const Held now = MeasureHeld();
    if (delivered < expected / 4) early = now;
    if (delivered > expected / 2) most_memory = std::max(most_memory, now.memory);
  }
  for (std::thread& thread : threads) thread.join();
  // Segments stay open until their flush, so this is the time to count.
  const bool sealed = writer->Shutdown(test::kPatienceMs);
  const uint64_t descriptors = MeasureHeld().descriptors;
  const bool flat =
      most_memory < early.memory + kMayGrowBytes && descriptors < before.descriptors + kOpenFiles;
  std::printf(
      "{\"events\":%llu,\"delivered\":%llu,\"descriptors\":[%llu,%llu],\"megabytes\":[%.1f,%.1f]}"
      "\n",
      static_cast<unsigned long long>(expected), static_cast<unsigned long long>(delivered),
      static_cast<unsigned long long>(before.descriptors),
      static_cast<unsigned long long>(descriptors),
      static_cast<double>(early.memory) / journal::kMebibyte,
      static_cast<double>(most_memory) / journal::kMebibyte);
  return flat && sealed && delivered == expected ? 0 : 1;
}
