#include "supervisor.h"

#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "command_line.h"
#include "line_buffer.h"
#include "messages.h"
#include "text.h"

namespace service_host {
namespace {

using namespace std::chrono_literals;

/// Exit codes of the program (docs/reference/command-line.md) that another start would only repeat.
constexpr DWORD kUsageRefused = 2;
constexpr DWORD kConfigurationRefused = 78;

/// A program that has not ended by then counts as started.
constexpr uint64_t kStartMs = 10'000;
/// How often a service that starts or stops reports that it is alive.
constexpr DWORD kSignOfLifeMs = 1'000;
/// How long reading what the pipe still holds may take after the end of the program.
constexpr auto kLastOutput = 5s;

/// The program's own line for a start that succeeded (docs/reference/log-lines.md).
constexpr std::string_view kStartedLine = "\"msg\":\"started\"}";

/// What the thread that reads the program's output shares with the supervisor.
struct Output {
  Handle pipe;
  Handle started;  ///< an event
  std::shared_ptr<HostLog> log;
};

void ReadOutput(const Output& output) {
  LineBuffer buffer;
  char bytes[1 << 14];
  DWORD count = 0;
  while (ReadFile(output.pipe.get(), bytes, sizeof bytes, &count, nullptr)) {
    const std::string lines = buffer.Feed({bytes, count});
    if (lines.find(kStartedLine) != lines.npos) SetEvent(output.started.get());
    output.log->WriteLines(lines);
  }
  output.log->WriteLines(buffer.Finish());
}

/// The installation is wrong: another attempt would fail in the same way.
bool IsFileMissing(DWORD error) {
  return error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND ||
         error == ERROR_BAD_EXE_FORMAT;
}

}  // namespace

Supervisor::Supervisor(const Options& options, HANDLE stop, std::shared_ptr<HostLog> log,
                       ServiceStatus* status)
    : options_(options), stop_(stop), log_(std::move(log)), status_(status) {}

Outcome Supervisor::Run() {
  for (;;) {
    const Life life = RunOnce();
    if (IsStopping()) return {};
    if (const std::optional<Outcome> outcome = FinalOutcome(life)) return *outcome;
    has_run_ = true;
    status_->Running();
    if (!WaitForRestart(life)) return {};
  }
}

Supervisor::Life Supervisor::RunOnce() {
  Life life;
  ChildProcess child;
  const uint64_t begin_ms = GetTickCount64();
  life.start_error = child.Start(options_.node, CommandLine(NodeArguments(options_)));
  if (life.start_error != 0) return life;
  LogStart(child);
  const auto output = std::make_shared<Output>(
      Output{child.TakeOutput(), Handle(CreateEventW(nullptr, TRUE, FALSE, nullptr)), log_});
  std::optional<threads::AbandonableThread> reader;
  try {
    reader.emplace([output] { ReadOutput(*output); });
  } catch (const std::system_error&) {
    // The program would wait for its output to be read.
    child.Terminate();
    life.start_error = ERROR_NO_SYSTEM_RESOURCES;
    return life;
  }
  WaitForEnd(&child, output->started.get());
  // What the program left running would hold its output open.
  child.Terminate();
  reader->WaitForEnd(kLastOutput);
  life.exit_code = child.ExitCode();
  life.up_ms = GetTickCount64() - begin_ms;
  LogEnd(child, life);
  return life;
}

void Supervisor::WaitForEnd(ChildProcess* child, HANDLE started) {
  const uint64_t begin_ms = GetTickCount64();
  const HANDLE events[] = {child->process(), stop_, started};
  bool is_pending = true;
  for (;;) {
    const DWORD result = WaitForMultipleObjects(is_pending ? 3 : 2, events, FALSE,
                                                is_pending ? kSignOfLifeMs : INFINITE);
    if (result == WAIT_OBJECT_0) return;
    if (result == WAIT_OBJECT_0 + 1) return Stop(child);
    is_pending = !has_run_ && result == WAIT_TIMEOUT && GetTickCount64() - begin_ms < kStartMs;
    if (is_pending) {
      status_->StartPending();
    } else {
      status_->Running();
    }
  }
}

void Supervisor::Stop(ChildProcess* child) {
  log_->Write(LogLine(Level::kInfo, "stopping the program"));
  child->CloseInput();
  const uint64_t begin_ms = GetTickCount64();
  while (GetTickCount64() - begin_ms < options_.stop_seconds * 1'000ull) {
    status_->StopPending();
    if (WaitForSingleObject(child->process(), kSignOfLifeMs) == WAIT_OBJECT_0) return;
  }
  log_->Write(LogLine(Level::kWarn, "the program did not end in time and is terminated")
                  .With("seconds", options_.stop_seconds));
  log_->Report(MSG_PROGRAM_TERMINATED, {std::to_wstring(options_.stop_seconds)});
  child->Terminate();
  WaitForSingleObject(child->process(), kSignOfLifeMs);
}

std::optional<Outcome> Supervisor::FinalOutcome(const Life& life) {
  if (life.start_error != 0) {
    log_->Write(LogLine(Level::kError, "the program cannot be started")
                    .With("node", Utf8(options_.node))
                    .With("windowsError", life.start_error));
    log_->Report(MSG_PROGRAM_NOT_STARTED, {options_.node, std::to_wstring(life.start_error)});
    if (has_run_ || !IsFileMissing(life.start_error)) return std::nullopt;
    return Outcome{life.start_error, 0};
  }
  if (life.exit_code != kUsageRefused && life.exit_code != kConfigurationRefused)
    return std::nullopt;
  const wchar_t* refused =
      life.exit_code == kUsageRefused ? L"its command line" : L"its configuration";
  log_->Write(
      LogLine(Level::kError, "the program is not started again").With("exitCode", life.exit_code));
  log_->Report(MSG_PROGRAM_REFUSED,
               {std::to_wstring(life.exit_code), refused, options_.log_directory});
  return Outcome{ERROR_SERVICE_SPECIFIC_ERROR, life.exit_code};
}

bool Supervisor::WaitForRestart(const Life& life) {
  const uint64_t wait_ms = backoff_.NextMs(life.up_ms);
  log_->Write(LogLine(Level::kWarn, "the program is started again").With("delayMs", wait_ms));
  if (life.start_error == 0) {
    log_->Report(MSG_PROGRAM_ENDED,
                 {std::to_wstring(life.exit_code), std::to_wstring(wait_ms / 1'000)});
  }
  return WaitForSingleObject(stop_, static_cast<DWORD>(wait_ms)) == WAIT_TIMEOUT;
}

void Supervisor::LogStart(const ChildProcess& child) {
  log_->Write(LogLine(Level::kInfo, "program started")
                  .With("pid", child.id())
                  .With("commandLine", Utf8(CommandLine(NodeArguments(options_)))));
}

void Supervisor::LogEnd(const ChildProcess& child, const Life& life) {
  log_->Write(LogLine(Level::kInfo, "program ended")
                  .With("pid", child.id())
                  .With("exitCode", life.exit_code)
                  .With("upMs", life.up_ms));
}

}  // namespace service_host
