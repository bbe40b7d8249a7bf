#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <string>
#include <thread>

#include "../line_buffer.h"
#include "../log_line.h"
#include "../log_writer.h"
#include "../rotating_log.h"
#include "support/wait.h"

namespace service_host {
namespace {

constexpr uint32_t kDiskFull = 112;
constexpr uint32_t kAccessDenied = 5;

class MemoryDirectory final : public LogDirectory {
 public:
  std::vector<uint64_t> List() override {
    std::vector<uint64_t> numbers;
    for (const auto& [number, text] : files) numbers.push_back(number);
    return numbers;
  }
  std::optional<uint64_t> Open(uint64_t number) override {
    ++opened;
    if (refuses) {
      error_ = kAccessDenied;
      return std::nullopt;
    }
    open_ = number;
    return files[number].size();
  }
  size_t Append(std::string_view bytes) override {
    const size_t fitting = std::min(bytes.size(), space);
    if (fitting < bytes.size()) error_ = kDiskFull;
    space -= fitting;
    files[open_].append(bytes.substr(0, fitting));
    return fitting;
  }
  void Close() override { open_ = 0; }
  void Remove(uint64_t number) override {
    if (number != held) files.erase(number);
  }
  uint32_t last_error() const override { return error_; }
  uint64_t NowMs() const override { return now_ms; }

  std::map<uint64_t, std::string> files;
  bool refuses = false;
  size_t space = SIZE_MAX;
  uint64_t held = 0;
  uint64_t now_ms = 0;
  int opened = 0;

 private:
  uint64_t open_ = 0;
  uint32_t error_ = 0;
};

struct Fixture {
  MemoryDirectory directory;
  std::vector<uint32_t> failures;
  RotatingLog log{&directory, {.file_bytes = 10, .files = 3}, [this](uint32_t error) {
                    failures.push_back(error);
                  }};
};

using Files = std::map<uint64_t, std::string>;

TEST_CASE_FIXTURE(Fixture, "a file ends with the line that reaches the limit") {
  log.Write("1234\n");
  log.Write("56789\n12\n");
  log.Write("3\n");
  CHECK(directory.files == Files{{1, "1234\n56789\n"}, {2, "12\n3\n"}});
}

TEST_CASE_FIXTURE(Fixture,
                  "many lines at once are spread over files, and only the newest are kept") {
  log.Write("first 123\nsecond 12\nthird\n45\n678\nfourth 12\nfifth\n");
  CHECK(directory.files == Files{{3, "third\n45\n678\n"}, {4, "fourth 12\n"}, {5, "fifth\n"}});
}

TEST_CASE_FIXTURE(Fixture, "a line that is longer than a file stays in one piece") {
  log.Write("12345678901234567890\nnext\n");
  CHECK(directory.files == Files{{1, "12345678901234567890\n"}, {2, "next\n"}});
}

TEST_CASE_FIXTURE(Fixture, "a start continues the newest file, or begins the next if it is full") {
  directory.files = {{7, "old\n"}};
  log.Write("new\n");
  CHECK(directory.files == Files{{7, "old\nnew\n"}});
  directory.files[9] = "this one is full\n";
  RotatingLog second(&directory, {.file_bytes = 10, .files = 3}, [](uint32_t) {});
  second.Write("more\n");
  CHECK(directory.files == Files{{9, "this one is full\n"}, {10, "more\n"}});
}

TEST_CASE_FIXTURE(Fixture, "a file that another process holds stays, and goes with a later one") {
  directory.held = 1;
  for (int line = 0; line < 4; ++line) log.Write("123456789\n");
  CHECK(directory.List() == std::vector<uint64_t>{1, 2, 3, 4});
  directory.held = 0;
  log.Write("123456789\n");
  CHECK(directory.List() == std::vector<uint64_t>{3, 4, 5});
}

TEST_CASE_FIXTURE(Fixture, "lines are dropped and counted while the disk is full") {
  log.Write("1\n");
  directory.space = 2;
  log.Write("12345\n");
  log.Write("6\n");
  CHECK(failures == std::vector<uint32_t>{kDiskFull});
  const int opened = directory.opened;
  directory.now_ms = RotatingLog::kRetryMs - 1;
  log.Write("7\n");
  CHECK(directory.opened == opened);
  directory.now_ms = RotatingLog::kRetryMs;
  directory.space = 0;
  log.Write("8\n");
  CHECK(failures.size() == 1);
  directory.now_ms = 2 * RotatingLog::kRetryMs;
  directory.space = SIZE_MAX;
  log.Write("9\n");
  const std::string text = directory.files[1];
  CHECK(text.starts_with("1\n12\n{"));
  CHECK(text.find("\"droppedBytes\":12,\"windowsError\":112,") != text.npos);
  CHECK(directory.files[2] == "9\n");
  directory.space = 0;
  log.Write("10\n");
  CHECK(failures.size() == 2);
}

TEST_CASE_FIXTURE(Fixture, "a directory that cannot be written is tried again") {
  directory.refuses = true;
  log.Write("1\n");
  CHECK(failures == std::vector<uint32_t>{kAccessDenied});
  directory.refuses = false;
  directory.now_ms = RotatingLog::kRetryMs;
  log.Write("2\n");
  CHECK(directory.files[1].find("\"droppedBytes\":2,\"windowsError\":5,") != std::string::npos);
  CHECK(directory.files[2] == "2\n");
}

TEST_CASE("bytes are cut into lines") {
  LineBuffer buffer;
  CHECK(buffer.Feed("on") == "");
  CHECK(buffer.Feed("e\ntwo\nth") == "one\ntwo\n");
  CHECK(buffer.Feed("ree") == "");
  CHECK(buffer.Finish() == "three\n");
  CHECK(buffer.Finish() == "");
  CHECK(buffer.Feed(std::string(LineBuffer::kLongestLine, 'x')) == "");
  CHECK(buffer.Feed("y") == std::string(LineBuffer::kLongestLine, 'x') + "y\n");
}

TEST_CASE("a line of the host is JSON") {
  LogLine line(Level::kWarn, "a \"quote\"\n");
  line.With("path", "C:\\x").With("code", 78);
  const std::chrono::system_clock::time_point time(std::chrono::milliseconds(1'767'225'599'007));
  CHECK(line.Text(time) ==
        "{\"level\":40,\"time\":\"2025-12-31T23:59:59.007Z\",\"name\":\"certwire-service\","
        "\"path\":\"C:\\\\x\",\"code\":78,\"msg\":\"a \\\"quote\\\"\\u000a\"}\n");
}

/// Hangs in its first call until it is released.
class HangingSink final : public LogSink {
 public:
  void Write(std::string_view lines) override {
    is_called = true;
    test::WaitUntil([this] { return released.load(); });
    text.append(lines);
  }
  std::atomic<bool> is_called = false;
  std::atomic<bool> released = false;
  std::string text;
};

TEST_CASE("a sink that hangs holds nobody up, and what does not fit is counted") {
  using namespace std::chrono_literals;
  const auto sink = std::make_shared<HangingSink>();
  LogWriter writer(sink);
  writer.Append("first\n");
  REQUIRE(test::WaitUntil([&] { return sink->is_called.load(); }));
  const std::string large(LogWriter::kMostWaitingBytes, '\n');
  writer.Append(large);
  writer.Append("dropped\n");
  CHECK_FALSE(writer.Drain(1ms));
  sink->released = true;
  REQUIRE(writer.Drain(std::chrono::milliseconds(test::kPatienceMs)));
  CHECK(sink->text.starts_with("first\n\n"));
  CHECK(sink->text.find("dropped\n") == std::string::npos);
  CHECK(sink->text.find("\"droppedBytes\":8,") != std::string::npos);
}

}  // namespace
}  // namespace service_host
