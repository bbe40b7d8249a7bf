// Measures what an append costs its caller, beside the plain way (a lock and a write by the calling
// thread) and the bare copy, in one run; with and without a disk that stalls for 100 ms every 0.5
// s.
//   journal_bench DIRECTORY [SECONDS [append]]
// `append`: only appends without stalls, and as fast as all threads can.
// Prints JSON: microseconds, except where the name says otherwise.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "support/hook_files.h"
#include "support/journal_tools.h"

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int kThreads = 8;
constexpr int kRatePerThread = 1000;
constexpr size_t kRecordBytes = 2048;

/// Times of one kind of append.
struct Result {
  std::vector<double> micros;
  uint64_t uncommitted = 0;

  double At(double quantile) {
    if (micros.empty()) return 0;
    std::sort(micros.begin(), micros.end());
    const auto index = static_cast<size_t>(quantile * static_cast<double>(micros.size()));
    return micros[std::min(index, micros.size() - 1)];
  }
};

/// One append of a record that `data` holds; true when it was committed.
using Append = std::function<bool(const uint8_t* data)>;

/// Calls `append` from all threads at a steady rate.
Result Measure(const Append& append, int seconds) {
  std::vector<Result> results(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const std::vector<uint8_t> record(kRecordBytes, static_cast<uint8_t>(t));
      auto next = Clock::now() + std::chrono::microseconds(t * 100);
      const auto end = next + std::chrono::seconds(seconds);
      for (; next < end; next += std::chrono::microseconds(1000000 / kRatePerThread)) {
        std::this_thread::sleep_until(next);
        const auto start = Clock::now();
        if (!append(record.data())) ++results[static_cast<size_t>(t)].uncommitted;
        const std::chrono::duration<double, std::micro> took = Clock::now() - start;
        results[static_cast<size_t>(t)].micros.push_back(took.count());
      }
    });
  }
  for (auto& thread : threads) thread.join();
  Result all;
  for (const Result& result : results) {
    all.uncommitted += result.uncommitted;
    all.micros.insert(all.micros.end(), result.micros.begin(), result.micros.end());
  }
  return all;
}

/// Lets a write wait for 100 ms every 0.5 s.
test::HookFiles::Hook Stalls(bool stalls) {
  auto last = std::make_shared<std::atomic<int64_t>>(Clock::now().time_since_epoch().count());
  return [stalls, last](const test::Operation& operation) {
    if (!stalls || operation.op != test::Op::kWrite) return journal::Status::Ok();
    const auto now = Clock::now().time_since_epoch().count();
    if (now - *last > 500000000) {
      *last = now;
      std::this_thread::sleep_for(milliseconds(100));
    }
    return journal::Status::Ok();
  };
}

Result Journal(const std::string& directory, uint32_t wait_us, bool stalls, int seconds) {
  test::HookFiles files(journal::DefaultFileSystem(), Stalls(stalls));
  journal::WriterOptions options;
  options.directory = directory.c_str();
  options.file_system = &files;
  options.commit_wait_us = wait_us;
  options.min_free_bytes = 0;
  const auto writer = test::StartWriter(options);
  auto append = [&](const uint8_t* data) {
    journal::Buffer* buffer = writer->Acquire(kRecordBytes);
    if (buffer == nullptr) return false;
    std::memcpy(journal::Writer::Data(buffer), data, kRecordBytes);
    return writer->Append(buffer, kRecordBytes, 1, 1, 0) == journal::AppendResult::kCommitted;
  };
  Result result = Measure(append, seconds);
  writer->Shutdown(10000);
  return result;
}

Result LockAndWrite(const std::string& directory, bool stalls, int seconds) {
  test::HookFiles files(journal::DefaultFileSystem(), Stalls(stalls));
  std::unique_ptr<journal::File> file;
  const std::string path = directory + "/plain";
  if (!files.Open(path.c_str(), journal::OpenMode::kOpenOrCreate, &file).ok()) return {};
  std::mutex mutex;
  uint64_t offset = 0;
  std::atomic<bool> stop{false};
  std::thread flusher([&] {
    for (; !stop; std::this_thread::sleep_for(milliseconds(50))) (void)file->Flush();
  });
  Result result = Measure(
      [&](const uint8_t* data) {
        const std::lock_guard guard(mutex);
        const bool written = file->WriteAt(offset, data, kRecordBytes).ok();
        offset += kRecordBytes;
        return written;
      },
      seconds);
  stop = true;
  flusher.join();
  return result;
}

Result Copy(int seconds) {
  return Measure(
      [](const uint8_t* data) {
        uint8_t copy[kRecordBytes];
        std::memcpy(copy, data, kRecordBytes);
        volatile uint8_t kept = copy[kRecordBytes - 1];
        return kept == data[0];
      },
      seconds);
}

/// Processor time of this process or this thread so far, in microseconds.
double CpuMicros(clockid_t of) {
  timespec now{};
  clock_gettime(of, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

struct Rate {
  double events_per_second = 0;
  double writer_cpu_micros = 0;  ///< per event, of the journal's own threads
};

/// What reaches the disk when all threads append as fast as they can.
Rate Sustained(const std::string& directory, int seconds) {
  journal::WriterOptions options;
  options.directory = directory.c_str();
  options.min_free_bytes = 0;
  const auto writer = test::StartWriter(options);
  std::atomic<bool> stop{false};
  const auto start = Clock::now();
  /// What was before, and what the callers use.
  std::atomic<double> others{CpuMicros(CLOCK_PROCESS_CPUTIME_ID)};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      const std::string record(kRecordBytes, 's');
      while (!stop) test::AppendText(writer.get(), record);
      others += CpuMicros(CLOCK_THREAD_CPUTIME_ID);
    });
  }
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  stop = true;
  for (auto& thread : threads) thread.join();
  writer->Shutdown(60000);
  const std::chrono::duration<double> took = Clock::now() - start;
  const double own = CpuMicros(CLOCK_PROCESS_CPUTIME_ID) - others;
  const auto events = static_cast<double>(writer->Stats().committed);
  return {events / took.count(), own / events};
}

void Print(const char* name, bool stalls, Result* result) {
  std::printf(
      "    {\"name\":\"%s\",\"diskStalls\":%s,\"count\":%zu,\"p50\":%.1f,\"p99\":%.1f,"
      "\"p999\":%.1f,\"max\":%.1f,\"uncommitted\":%llu},\n",
      name, stalls ? "true" : "false", result->micros.size(), result->At(0.5), result->At(0.99),
      result->At(0.999), result->At(1), static_cast<unsigned long long>(result->uncommitted));
  std::fflush(stdout);
}

/// On a busy machine only the two beside each other mean something.
std::string RatioLine(bool stalls, Result* ours, Result* plain) {
  char line[120];
  std::snprintf(line, sizeof(line), "%s    {\"diskStalls\":%s,\"p50\":%.3f,\"p999\":%.3f}",
                stalls ? ",\n" : "", stalls ? "true" : "false", ours->At(0.5) / plain->At(0.5),
                ours->At(0.999) / plain->At(0.999));
  return line;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: journal_bench DIRECTORY [SECONDS]\n");
    return 64;
  }
  const int seconds = argc > 2 ? std::atoi(argv[2]) : 3;
  const std::string root = std::string(argv[1]) + "/journal-bench";
  const auto fresh = [&root] {
    std::filesystem::remove_all(root);
    std::filesystem::create_directories(root);
    return root;
  };
  if (argc > 3 && std::strcmp(argv[3], "append") == 0) {
    Result append = Journal(fresh(), 2000, false, seconds);
    const Rate rate = Sustained(fresh(), seconds);
    std::printf("{\"p50\":%.2f,\"p99\":%.1f,\"eventsPerSecond\":%.0f,\"writerCpuPerEvent\":%.3f}\n",
                append.At(0.5), append.At(0.99), rate.events_per_second, rate.writer_cpu_micros);
    std::filesystem::remove_all(root);
    return 0;
  }
  std::printf(
      "{\"threads\":%d,\"ratePerThread\":%d,\"recordBytes\":%zu,\"unit\":\"us\",\n  "
      "\"results\":[\n",
      kThreads, kRatePerThread, kRecordBytes);
  std::string ratios;
  for (const bool stalls : {false, true}) {
    Result ours = Journal(fresh(), 2000, stalls, seconds);
    Result pushed = Journal(fresh(), 0, stalls, seconds);
    Result plain = LockAndWrite(fresh(), stalls, seconds);
    Print("append", stalls, &ours);
    Print("encode-and-push", stalls, &pushed);
    Print("lock-and-write", stalls, &plain);
    ratios += RatioLine(stalls, &ours, &plain);
  }
  Result copy = Copy(seconds);
  Print("memcpy", false, &copy);
  const Rate sustained = Sustained(fresh(), seconds);
  std::printf(
      "    {\"name\":\"sustained\",\"eventsPerSecond\":%.0f,\"writerCpuPerEvent\":%.3f}\n  ],\n",
      sustained.events_per_second, sustained.writer_cpu_micros);
  std::printf("  \"appendDividedByLockAndWrite\":[\n%s\n  ]}\n", ratios.c_str());
  std::filesystem::remove_all(root);
}
