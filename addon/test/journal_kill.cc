// Kills writer, reader or both at named and random instants, and checks that every append that had
// returned committed is delivered, nothing is invented, and each unclean stop gives one gap.
//   journal_kill ROUNDS [SEED]
// The parent is the third process: what had returned stands in memory that it shares with its
// children. Linux only.
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "support/hook_files.h"
#include "support/journal_tools.h"
#include "support/temp_directory.h"

namespace {

constexpr int kThreads = 4;
constexpr size_t kDelivered = 1u << 22;

/// Memory of the parent that the children write into.
struct Oracle {
  std::atomic<uint32_t> returned[kThreads];  ///< events of each thread that had returned committed
  std::atomic<uint32_t> started[kThreads];   ///< events of each thread whose append had begun
};

/// What the reader process hands out, in the order of handing out.
struct Delivery {
  std::atomic<uint64_t> count;
  struct Checkpoint {
    journal::Position position;
    uint64_t count;  ///< of what was handed out, covered by the position
  } slots[2];
  std::atomic<int> active;  ///< slot + 1, 0: none yet
  struct Row {
    uint64_t sequence;
    uint32_t round;  ///< of an event; UINT32_MAX: a gap
    uint16_t thread;
    uint16_t index;
    uint32_t number;
    uint32_t epoch;
    char reason;
  } rows[kDelivered];
};

template <typename T>
T* Shared() {
  void* memory = mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<T*>(memory);
}

/// Ends this process before its n-th operation of a kind; the named kill points.
test::HookFiles::Hook KillAt(test::Op op, int nth) {
  auto left = std::make_shared<std::atomic<int>>(nth);
  return [op, left](const test::Operation& operation) {
    if (operation.op == op && --*left == 0) kill(getpid(), SIGKILL);
    return journal::Status::Ok();
  };
}

journal::WriterOptions OptionsFor(const std::string& directory, journal::FileSystem* files) {
  auto options = test::SmallOptions(directory);
  options.file_system = files;
  return options;
}

[[noreturn]] void WriterProcess(const std::string& directory, uint32_t round, Oracle* oracle,
                                const test::HookFiles::Hook& hook, bool shutdown) {
  test::HookFiles files(journal::DefaultFileSystem(), hook);
  auto writer = test::StartWriter(OptionsFor(directory, &files));
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (uint16_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      std::mt19937 random(round * kThreads + thread);
      for (uint32_t number = 1; !stop; ++number) {
        const std::string text = "e " + std::to_string(round) + " " + std::to_string(thread) + " " +
                                 std::to_string(number) + " " + std::string(random() % 700, 'k');
        oracle->started[thread] = number;
        const auto result = test::AppendText(writer.get(), text);
        // Only an unbroken run counts, so that one number says it all.
        if (result == journal::AppendResult::kCommitted && oracle->returned[thread] == number - 1) {
          oracle->returned[thread] = number;
        }
        if (random() % 8 == 0) usleep(static_cast<useconds_t>(random() % 300));
      }
    });
  }
  if (shutdown) {
    usleep(10000);
    stop = true;
    for (auto& thread : threads) thread.join();
    _exit(writer->Shutdown(5000) ? 0 : 1);
  }
  for (;;) pause();
}

void Deliver(const test::Item& item, Delivery* delivery, uint64_t at) {
  auto& row = delivery->rows[at];
  row.sequence = item.sequence;
  row.index = item.index;
  row.epoch = item.behind.epoch_number;
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

/// Goes on from the checkpoint; what was handed out behind it comes again, as after a real restart.
[[noreturn]] void ReaderProcess(const std::string& directory, Delivery* delivery, bool drain) {
  auto options = test::ReaderOf(directory, journal::ReadMode::kDurable);
  options.unmarked_after_ms = 50;
  int active = delivery->active;
  options.has_position = active != 0;
  if (active != 0) options.position = delivery->slots[active - 1].position;
  delivery->count = active == 0 ? 0 : delivery->slots[active - 1].count;
  auto reader = journal::Reader::Open(options);
  for (int idle = 0; !drain || idle < 100;) {
    journal::Batch batch;
    const bool got = reader->Read(&batch).ok() && !batch.entries.empty();
    for (const auto& item : test::ItemsOf(batch)) {
      if (delivery->count == kDelivered) _exit(3);
      Deliver(item, delivery, delivery->count);
      ++delivery->count;
    }
    if (got) {
      active = active == 1 ? 2 : 1;
      delivery->slots[active - 1] = {test::ItemsOf(batch).back().behind, delivery->count};
      delivery->active = active;
    }
    idle = got ? 0 : idle + 1;
    if (!got) usleep(2000);
  }
  _exit(reader->Stats().position_lost ? 4 : 0);
}

void Reap(pid_t pid) {
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

/// All rounds of one run.
class KillTest {
 public:
  explicit KillTest(unsigned seed) : random_(seed), delivery_(Shared<Delivery>()) {}

  bool Run(uint32_t rounds) {
    for (uint32_t round = 0; round < rounds && failures_ == 0; ++round) Round(round);
    RunWriter(rounds, true);
    const int code = DrainReader();
    if (code != 0) return Fail("the last reader ended with code", static_cast<uint64_t>(code));
    return Check();
  }

  void Report(uint32_t rounds) const {
    std::printf(
        "{\"rounds\":%u,\"committed\":%llu,\"delivered\":%llu,\"uncleanStops\":%llu,"
        "\"failures\":%llu}\n",
        rounds, static_cast<unsigned long long>(committed_),
        static_cast<unsigned long long>(delivery_->count.load()),
        static_cast<unsigned long long>(unclean_), static_cast<unsigned long long>(failures_));
  }

 private:
  pid_t Fork() {
    std::fflush(stdout);
    return fork();
  }

  pid_t StartWriter(uint32_t round, Oracle* oracle, bool shutdown) {
    // Half of the rounds die at a named point: before the n-th operation of one kind.
    constexpr test::Op kPoints[] = {test::Op::kCreate, test::Op::kWrite, test::Op::kFlush,
                                    test::Op::kLock,   test::Op::kList,  test::Op::kFreeSpace};
    test::HookFiles::Hook hook = [](const test::Operation&) { return journal::Status::Ok(); };
    if (!shutdown && round % 2 == 0) {
      hook = KillAt(kPoints[random_() % std::size(kPoints)], static_cast<int>(1 + random_() % 20));
    }
    const pid_t pid = Fork();
    if (pid == 0) WriterProcess(directory_.str(), round, oracle, hook, shutdown);
    return pid;
  }

  /// Runs a writer to its end and notes how it ended.
  void RunWriter(uint32_t round, bool shutdown) {
    Oracle* oracle = Shared<Oracle>();
    oracles_.push_back(oracle);
    const pid_t pid = StartWriter(round, oracle, shutdown);
    int status = 1;
    if (shutdown) {
      waitpid(pid, &status, 0);
    } else {
      usleep(static_cast<useconds_t>(3000 + random_() % 25000));
      Reap(pid);
    }
    sealed_.push_back(status == 0);
  }

  void Round(uint32_t round) {
    const bool shutdown = random_() % 10 == 0;
    const pid_t reader = Fork();
    if (reader == 0) ReaderProcess(directory_.str(), delivery_, false);
    RunWriter(round, shutdown);
    // Sometimes the reader dies with the writer, sometimes it gets ahead, in any case it dies.
    if (random_() % 2 == 0) usleep(static_cast<useconds_t>(random_() % 20000));
    Reap(reader);
    DeletePassed();
  }

  /// Deletes the segments of epochs that the checkpoint has passed, to keep the directory small.
  void DeletePassed() {
    const int active = delivery_->active;
    const uint32_t epoch = active == 0 ? 0 : delivery_->slots[active - 1].position.epoch_number;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
      unsigned number;
      if (std::sscanf(entry.path().filename().c_str(), "e%10u-s", &number) == 1 && number < epoch) {
        std::filesystem::remove(entry.path());
      }
    }
  }

  int DrainReader() {
    const pid_t pid = Fork();
    if (pid == 0) ReaderProcess(directory_.str(), delivery_, true);
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
  }

  bool Fail(const char* what, uint64_t number) {
    if (++failures_ < 20) {
      std::printf("%s: %llu\n", what, static_cast<unsigned long long>(number));
    }
    return false;
  }

  bool Check() {
    for (uint64_t i = 0; i < delivery_->count; ++i) TakeRow(delivery_->rows[i]);
    for (uint32_t round = 0; round < oracles_.size(); ++round) {
      CheckCommitted(round);
      CheckEnd(round);
    }
    return failures_ == 0;
  }

  void TakeRow(const Delivery::Row& row) {
    if (!ids_.insert({row.epoch, row.sequence * 65536 + row.index}).second) {
      Fail("delivered twice, sequence", row.sequence);
    }
    if (row.reason == 'u') {
      ++unclean_;
      ++unclean_of_epoch_[row.epoch];
    } else if (row.reason != 'e') {
      Fail("unexpected frame or gap, sequence", row.sequence);
    } else if (row.round >= oracles_.size() ||
               row.number > oracles_[row.round]->started[row.thread]) {
      Fail("invented, round", row.round);
    } else {
      seen_[row.round][row.thread].insert(row.number);
      epoch_of_round_[row.round] = row.epoch;
    }
  }

  void CheckCommitted(uint32_t round) {
    for (uint16_t thread = 0; thread < kThreads; ++thread) {
      const uint32_t returned = oracles_[round]->returned[thread];
      committed_ += returned;
      for (uint32_t number = 1; number <= returned; ++number) {
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
  Delivery* delivery_;
  std::vector<Oracle*> oracles_;
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
  const auto rounds = static_cast<uint32_t>(argc > 1 ? std::atoi(argv[1]) : 100);
  const auto seed = static_cast<unsigned>(argc > 2 ? std::atoi(argv[2]) : 1);
  KillTest kill_test(seed);
  const bool passed = kill_test.Run(rounds);
  kill_test.Report(rounds);
  return passed ? 0 : 1;
}
