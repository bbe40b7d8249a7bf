// Kills writer, reader or both at named and random instants, and checks that every append that had
// returned committed is delivered, nothing is invented, and each unclean stop gives one gap.
//   journal_kill ROUNDS [SEED]
// This process is the third one: what had returned is in memory that it shares with its children,
// which run this program too.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <thread>

#include "support/child_process.h"
#include "support/hook_files.h"
#include "support/journal_tools.h"
#include "support/scale.h"
#include "support/temp_directory.h"
#include "support/wait.h"

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr int kThreads = 4;
/// Events of a thread in a round, at most; their numbers begin with 1.
constexpr uint32_t kNumbers = 1u << 15;
/// A writer is killed once it has begun up to this many appends.
constexpr uint32_t kKillWithinAppends = 1000;
/// A reader is killed once it has handed out up to this many events.
constexpr uint32_t kKillWithinEvents = 1000;
/// A kill comes up to this much later than the progress that triggers it, so that it hits any
/// instruction.
constexpr uint32_t kJitterMicros = 2000;
constexpr size_t kDelivered = 1u << 23;

/// What had happened in a round, in memory of the parent that the writer writes into.
struct Oracle {
  std::atomic<bool> runs;
  std::atomic<uint32_t> started[kThreads];            ///< events whose append had begun
  std::atomic<uint8_t> returned[kThreads][kNumbers];  ///< 1: its append had returned committed

  uint32_t appends() const {
    uint32_t sum = 0;
    for (const auto& count : started) sum += count;
    return sum;
  }
};

/// What the reader process hands out, in the order of handing out.
struct Delivery {
  std::atomic<uint64_t> count;        ///< goes back to that of the checkpoint with each reader
  std::atomic<uint64_t> handed_out;   ///< by all readers
  std::atomic<uint64_t> empty_reads;  ///< of all readers
  struct Checkpoint {
    journal::Position position;
    uint64_t count;  ///< of what was handed out, covered by the position
  } slots[2];
  std::atomic<int> active;  ///< slot + 1, 0: none yet
  /// The last reader ends when it has handed out this many events of this round.
  std::atomic<uint32_t> last_round;
  std::atomic<uint32_t> last_events;
  struct Row {
    uint64_t sequence;
    uint32_t round;  ///< of an event; UINT32_MAX: a gap
    uint32_t number;
    uint32_t epoch;
    uint16_t thread;
    bool by_reader;
    char reason;
  } rows[kDelivered];
};

struct Shared {
  Oracle oracle;
  Delivery delivery;
};

/// A named instant: before the n-th operation of one kind. n = 0: none.
struct KillPoint {
  test::Op op = test::Op::kOpen;
  int nth = 0;
};

test::HookFiles::Hook KillAt(KillPoint point) {
  auto left = std::make_shared<std::atomic<int>>(point.nth);
  return [point, left](const test::Operation& operation) {
    if (operation.op == point.op && --*left == 0) test::KillThisProcess();
    return journal::Status::Ok();
  };
}

[[noreturn]] void WriterProcess(const std::string& directory, uint32_t round, Oracle* oracle,
                                KillPoint point, bool shutdown) {
  test::HookFiles files(journal::DefaultFileSystem(), KillAt(point));
  auto options = test::SmallOptions(directory);
  options.file_system = &files;
  // So that most appends return committed on a busy machine too.
  options.commit_wait_us = 50000;
  oracle->runs = true;
  auto writer = test::StartWriter(options);
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (uint16_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      std::mt19937 random(round * kThreads + thread);
      for (uint32_t number = 1; !stop && number < kNumbers; ++number) {
        const std::string text = "e " + std::to_string(round) + " " + std::to_string(thread) + " " +
                                 std::to_string(number) + " " + std::string(random() % 700, 'k');
        oracle->started[thread] = number;
        const auto result = test::AppendText(writer.get(), text);
        const bool committed = result == journal::AppendResult::kCommitted;
        if (committed) oracle->returned[thread][number] = 1;
        // Appends do not wait for a writer that lags: none would return committed.
        if (!committed) std::this_thread::sleep_for(milliseconds(2));
        if (random() % 8 == 0) std::this_thread::sleep_for(microseconds(random() % 300));
      }
    });
  }
  if (shutdown) {
    const uint32_t enough = 1 + round % kKillWithinAppends;
    test::WaitUntil([&] { return oracle->appends() >= enough; });
    stop = true;
    for (auto& thread : threads) thread.join();
    std::_Exit(writer->Shutdown(test::kPatienceMs) ? 0 : 1);
  }
  for (;;) std::this_thread::sleep_for(milliseconds(1000));
}

void Deliver(const test::Item& item, Delivery* delivery, uint64_t at) {
  auto& row = delivery->rows[at];
  row.sequence = item.sequence;
  row.by_reader = item.index == journal::kReaderGapIndex;
  row.epoch = item.after.epoch_number;
  row.round = UINT32_MAX;
  if (item.is_gap()) {
    row.reason = test::ReasonOf(item)[0];
  } else if (unsigned round, thread, number;
             std::sscanf(item.payload.c_str(), "e %u %u %u", &round, &thread, &number) == 3) {
    row.round = round;
    row.thread = static_cast<uint16_t>(thread);
    row.number = number;
    row.reason = 'e';
  } else {
    row.reason = '?';
  }
}

/// Continues at the checkpoint; what was handed out after it is handed out again, as after a real
/// restart.
[[noreturn]] void ReaderProcess(const std::string& directory, Delivery* delivery, KillPoint point,
                                bool drain) {
  test::HookFiles files(journal::DefaultFileSystem(), KillAt(point));
  auto options = test::ReaderOf(directory, journal::ReadMode::kDurable);
  options.file_system = &files;
  options.unmarked_after_ms = 50;
  int active = delivery->active;
  options.has_position = active != 0;
  if (active != 0) options.position = delivery->slots[active - 1].position;
  delivery->count = active == 0 ? 0 : delivery->slots[active - 1].count;
  auto reader = journal::Reader::Open(options);
  uint32_t last_events = 0;
  const auto step = [&] {
    journal::Batch batch;
    const bool got = reader->Read(&batch).ok() && !batch.entries.empty();
    for (const auto& item : test::ItemsOf(batch)) {
      if (delivery->count == kDelivered) std::_Exit(3);
      Deliver(item, delivery, delivery->count);
      last_events += delivery->rows[delivery->count].round == delivery->last_round;
      ++delivery->count;
      ++delivery->handed_out;
    }
    if (!got) ++delivery->empty_reads;
    if (got) {
      active = active == 1 ? 2 : 1;
      delivery->slots[active - 1] = {test::ItemsOf(batch).back().after, delivery->count};
      delivery->active = active;
    }
    return drain && last_events >= delivery->last_events;
  };
  while (!test::WaitUntil(step) && !drain) {
  }
  if (last_events < delivery->last_events) std::_Exit(6);
  journal::Batch surplus;
  if (!reader->Read(&surplus).ok() || !surplus.entries.empty()) std::_Exit(7);
  std::_Exit(reader->Stats().position_lost ? 4 : 0);
}

void RunChild(char** argv) {
  test::EndWithParent();
  const bool writes = std::string(argv[1]) == "writer";
  const std::string directory = argv[2];
  auto* shared = static_cast<Shared*>(test::SharedMemory(argv[3], sizeof(Shared)).get());
  if (shared == nullptr) std::_Exit(5);
  const KillPoint point = {static_cast<test::Op>(std::atoi(argv[4])), std::atoi(argv[5])};
  const bool orderly = std::atoi(argv[6]) != 0;
  if (!writes) ReaderProcess(directory, &shared->delivery, point, orderly);
  const auto round = static_cast<uint32_t>(std::atoi(argv[7]));
  WriterProcess(directory, round, &shared->oracle, point, orderly);
}

/// All rounds of one run.
class KillTest {
 public:
  explicit KillTest(unsigned seed)
      : random_(seed),
        memory_path_(beside_.file("oracle")),
        shared_(static_cast<Shared*>(test::SharedMemory(memory_path_, sizeof(Shared)).get())) {}

  bool Run(uint32_t rounds) {
    if (shared_ == nullptr) return Fail("no shared memory", 0);
    for (uint32_t round = 0; round < rounds && failures_ == 0; ++round) Round(round);
    RunWriter(rounds, {}, true, nullptr);
    shared_->delivery.last_round = rounds;
    for (const uint32_t count : appended_.back().started) shared_->delivery.last_events += count;
    const int code = Reader({}, true)->Wait();
    if (code != 0) return Fail("the last reader ended with code", static_cast<uint64_t>(code));
    return Check();
  }

  void Report(uint32_t rounds) const {
    const uint64_t delivered = shared_ == nullptr ? 0 : shared_->delivery.count.load();
    std::printf(
        "{\"rounds\":%u,\"committed\":%llu,\"delivered\":%llu,\"uncleanStops\":%llu,"
        "\"failures\":%llu}\n",
        rounds, static_cast<unsigned long long>(committed_),
        static_cast<unsigned long long>(delivered), static_cast<unsigned long long>(unclean_),
        static_cast<unsigned long long>(failures_));
  }

 private:
  /// Of the events of a round, by thread.
  struct Appended {
    uint32_t started[kThreads];
    std::vector<uint32_t> returned[kThreads];
  };
  using Child = std::unique_ptr<test::ChildProcess>;

  uint32_t Random(uint32_t below) { return static_cast<uint32_t>(random_() % below); }
  void SleepUpTo(uint32_t micros) { std::this_thread::sleep_for(microseconds(Random(micros))); }

  Child Start(const char* role, KillPoint point, bool orderly, uint32_t round) {
    return std::make_unique<test::ChildProcess>(std::vector<std::string>{
        role, directory_.str(), memory_path_, std::to_string(static_cast<int>(point.op)),
        std::to_string(point.nth), orderly ? "1" : "0", std::to_string(round)});
  }

  /// With `drain` it ends by itself after the events of the last round.
  Child Reader(KillPoint point, bool drain) { return Start("reader", point, drain, 0); }

  /// Half of the processes die at a named point.
  template <size_t kCount>
  KillPoint Point(const test::Op (&ops)[kCount]) {
    if (Random(2) == 0) return {};
    return {ops[Random(kCount)], static_cast<int>(1 + Random(20))};
  }

  /// Runs a writer to its end, perhaps with that of a reader, and notes how it ended.
  void RunWriter(uint32_t round, KillPoint point, bool shutdown, test::ChildProcess* with) {
    Oracle& oracle = shared_->oracle;
    oracle.runs = false;
    const Child writer = Start("writer", point, shutdown, round);
    if (!shutdown) {
      const uint32_t enough = Random(kKillWithinAppends);
      test::WaitUntil(
          [&] { return (oracle.runs && oracle.appends() >= enough) || writer->HasEnded(); });
      SleepUpTo(kJitterMicros);
      if (with != nullptr) with->Kill();
      writer->Kill();
    }
    sealed_.push_back(writer->Wait() == 0);
    Note(oracle);
  }

  /// Keeps what the writer of a round, which has ended, noted; the next one finds empty memory.
  void Note(Oracle& oracle) {
    Appended& appended = appended_.emplace_back();
    for (int thread = 0; thread < kThreads; ++thread) {
      appended.started[thread] = oracle.started[thread].exchange(0);
      for (uint32_t number = 1; number <= appended.started[thread]; ++number) {
        if (oracle.returned[thread][number].exchange(0) == 0) continue;
        appended.returned[thread].push_back(number);
      }
    }
  }

  void Round(uint32_t round) {
    constexpr test::Op kReading[] = {test::Op::kOpen, test::Op::kRead, test::Op::kList};
    constexpr test::Op kWriting[] = {test::Op::kCreate, test::Op::kWrite, test::Op::kFlush,
                                     test::Op::kLock,   test::Op::kList,  test::Op::kFreeSpace};
    const bool shutdown = Random(10) == 0;
    const KillPoint point = shutdown ? KillPoint() : Point(kWriting);
    Child reader = Reader(Point(kReading), false);
    if (Random(4) == 0) {
      // The reader alone, reading what is there; the next one continues.
      KillByProgress(reader.get());
      reader = Reader(Point(kReading), false);
    }
    const bool both = Random(3) == 0;
    RunWriter(round, point, shutdown, both ? reader.get() : nullptr);
    KillByProgress(reader.get());
    DeletePassed();
  }

  /// Kills a reader, if it runs, once it has handed out some more events or has found none.
  void KillByProgress(test::ChildProcess* reader) {
    const Delivery& delivery = shared_->delivery;
    const uint64_t enough = delivery.handed_out + Random(kKillWithinEvents);
    const uint64_t empty = delivery.empty_reads;
    test::WaitUntil([&] {
      return delivery.handed_out >= enough || delivery.empty_reads > empty || reader->HasEnded();
    });
    SleepUpTo(kJitterMicros);
    reader->Kill();
    reader->Wait();
  }

  /// Deletes the segments of epochs that the checkpoint has passed, to keep the directory small.
  void DeletePassed() {
    const Delivery& delivery = shared_->delivery;
    const int active = delivery.active;
    const uint32_t epoch = active == 0 ? 0 : delivery.slots[active - 1].position.epoch_number;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
      unsigned number;
      const std::string name = entry.path().filename().string();
      std::error_code ignored;
      if (std::sscanf(name.c_str(), "e%10u-s", &number) == 1 && number < epoch) {
        std::filesystem::remove(entry.path(), ignored);
      }
    }
  }

  bool Fail(const char* what, uint64_t number) {
    if (++failures_ < 20) {
      std::printf("%s: %llu\n", what, static_cast<unsigned long long>(number));
    }
    return false;
  }

  bool Check() {
    const Delivery& delivery = shared_->delivery;
    for (uint64_t i = 0; i < delivery.count; ++i) TakeRow(delivery.rows[i]);
    for (uint32_t round = 0; round < sealed_.size(); ++round) {
      CheckCommitted(round);
      CheckEnd(round);
    }
    return failures_ == 0;
  }

  void TakeRow(const Delivery::Row& row) {
    if (!ids_.insert({row.epoch, row.sequence * 2 + row.by_reader}).second) {
      Fail("delivered twice, sequence", row.sequence);
    }
    if (row.reason == 'u') {
      ++unclean_;
      ++unclean_of_epoch_[row.epoch];
    } else if (row.reason != 'e') {
      Fail("unexpected frame or gap, sequence", row.sequence);
    } else if (row.round >= sealed_.size() ||
               row.number > appended_[row.round].started[row.thread]) {
      Fail("invented, round", row.round);
    } else {
      seen_[row.round][row.thread].insert(row.number);
      epoch_of_round_[row.round] = row.epoch;
    }
  }

  void CheckCommitted(uint32_t round) {
    for (uint16_t thread = 0; thread < kThreads; ++thread) {
      for (const uint32_t number : appended_[round].returned[thread]) {
        ++committed_;
        if (!seen_[round][thread].contains(number)) Fail("missing, round", round);
      }
    }
  }

  /// One gap for each epoch that was not sealed, none for the others. An epoch of which nothing was
  /// delivered may never have begun.
  void CheckEnd(uint32_t round) {
    const auto epoch = epoch_of_round_.find(round);
    if (epoch == epoch_of_round_.end()) return;
    const uint64_t expected = sealed_[round] ? 0 : 1;
    if (unclean_of_epoch_[epoch->second] != expected) Fail("unclean-stop gaps, round", round);
  }

  std::mt19937 random_;
  test::TempDirectory directory_;
  test::TempDirectory beside_;
  std::string memory_path_;
  Shared* shared_;
  std::vector<Appended> appended_;  ///< by round
  std::vector<bool> sealed_;
  std::map<uint32_t, std::map<uint16_t, std::set<uint32_t>>> seen_;
  std::set<std::pair<uint32_t, uint64_t>> ids_;
  std::map<uint32_t, uint64_t> unclean_of_epoch_;
  std::map<uint32_t, uint32_t> epoch_of_round_;
  uint64_t committed_ = 0;
  uint64_t unclean_ = 0;
  uint64_t failures_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc > 7) RunChild(argv);
  const auto rounds = static_cast<uint32_t>(
      test::Scaled(static_cast<uint64_t>(argc > 1 ? std::atoi(argv[1]) : 100)));
  const auto seed = static_cast<unsigned>(argc > 2 ? std::atoi(argv[2]) : 1);
  KillTest kill_test(seed);
  const bool passed = kill_test.Run(rounds);
  kill_test.Report(rounds);
  return passed ? 0 : 1;
}
