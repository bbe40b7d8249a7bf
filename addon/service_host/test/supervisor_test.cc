// The supervisor with real processes, in Windows or Wine. The program that it runs is this one: a
// test's `program` says what it plays. Wine prints entries of the event log on its debug channel,
// where test/wine/service-host-native.test.ts reads them.
#define DOCTEST_CONFIG_IMPLEMENT
#include "../supervisor.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <string>

#include "standin/resources.h"

namespace service_host {
namespace {

std::wstring OwnPath() {
  std::wstring path(32768, L'\0');
  path.resize(GetModuleFileNameW(nullptr, path.data(), static_cast<DWORD>(path.size())));
  return path;
}

/// Events of Windows, by name: a program of kEndTwice has lived, and a stop is wanted.
constexpr wchar_t kHasLived[] = L"certwire-supervisor-test-has-lived";
constexpr wchar_t kStop[] = L"certwire-supervisor-test-stop";

/// What a played program does, given in the place of the JavaScript.
constexpr wchar_t kEndWith78[] = L"end-with-78";
constexpr wchar_t kEndTwice[] = L"end-twice";
constexpr wchar_t kIgnoreTheEnd[] = L"ignore-the-end";

/// In its second life it asks for a stop, which comes before or in the wait for the third.
int EndTwice() {
  const Handle has_lived(OpenEventW(EVENT_MODIFY_STATE | SYNCHRONIZE, FALSE, kHasLived));
  const Handle stop(OpenEventW(EVENT_MODIFY_STATE, FALSE, kStop));
  if (WaitForSingleObject(has_lived.get(), 0) == WAIT_OBJECT_0) SetEvent(stop.get());
  SetEvent(has_lived.get());
  return 70;
}

int Play(const std::wstring& what) {
  if (what == kEndWith78) return 78;
  if (what == kEndTwice) return EndTwice();
  std::fputs("{\"msg\":\"started\"}\n", stderr);
  Sleep(INFINITE);
  return 0;
}

struct Fixture {
  explicit Fixture(const wchar_t* program) {
    wchar_t directory[MAX_PATH];
    GetTempPathW(MAX_PATH, directory);
    options.mode = Mode::kService;
    options.node = OwnPath();
    options.program = program;
    options.config = L"config";
    options.log_directory = std::wstring(directory) + L"certwire supervisor test";
    options.stop_seconds = 1;
  }

  Outcome Run() {
    const auto log = std::make_shared<HostLog>(options);
    const Outcome outcome = Supervisor(options, stop.get(), log, &status).Run();
    log->Drain();
    return outcome;
  }

  Options options;
  Handle stop{CreateEventW(nullptr, TRUE, FALSE, kStop)};
  ServiceStatus status;
};

TEST_CASE("a configuration that is refused ends the service with its exit code") {
  Fixture fixture(kEndWith78);
  const Outcome outcome = fixture.Run();
  CHECK(outcome.windows_error == ERROR_SERVICE_SPECIFIC_ERROR);
  CHECK(outcome.exit_code == 78);
}

TEST_CASE("a program that is not there ends the service with the Windows error") {
  Fixture fixture(kEndWith78);
  fixture.options.node = L"C:\\no such directory\\node.exe";
  CHECK(fixture.Run().windows_error == ERROR_PATH_NOT_FOUND);
}

TEST_CASE("a program that ignores the end of its input is terminated") {
  Fixture fixture(kIgnoreTheEnd);
  SetEvent(fixture.stop.get());
  CHECK(fixture.Run().windows_error == NO_ERROR);
}

TEST_CASE("a log that cannot be written is an entry, and stops nothing") {
  Fixture fixture(kEndWith78);
  fixture.options.log_directory = OwnPath() + L"\\a file is not a directory";
  CHECK(fixture.Run().exit_code == 78);
}

TEST_CASE("a program that ends otherwise is an entry, and is started again until a stop") {
  const Handle has_lived(CreateEventW(nullptr, TRUE, FALSE, kHasLived));
  Fixture fixture(kEndTwice);
  CHECK(fixture.Run().windows_error == NO_ERROR);
}

TEST_CASE("a life of a program leaves no handle") {
  const auto live = [] {
    Fixture fixture(kEndWith78);
    fixture.Run();
    return standin::MeasureResources().handles;
  };
  constexpr int kLives = 20;
  size_t before = 0;
  // The first lives also load what stays.
  for (int life = 0; life < 3; ++life) before = live();
  size_t after = 0;
  for (int life = 0; life < kLives; ++life) after = live();
  // A thread of the last life may still be ending.
  CHECK(after < before + kLives);
}

}  // namespace
}  // namespace service_host

int wmain(int count, wchar_t** arguments) {
  if (count > 2 && std::wstring(arguments[2]) == L"run") return service_host::Play(arguments[1]);
  doctest::Context context;
  return context.run();
}
