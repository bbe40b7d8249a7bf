// Whom the module trusts with its directories.
#include "access.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "directory_rights.h"

namespace exit_module_test {
namespace {

using exit_module::DistrustReason;
using exit_module::IsWritableByOthers;
using exit_module::SecureDirectory;

/// A directory with one in it, removed at the end.
struct Directories {
  Directories() {
    wchar_t temp[MAX_PATH];
    GetTempPathW(MAX_PATH, temp);
    parent = std::wstring(temp) + L"certwire-access-" + std::to_wstring(GetCurrentProcessId());
    directory = parent + L"\\journal";
    REQUIRE(CreateDirectoryW(parent.c_str(), nullptr));
    REQUIRE(CreateDirectoryW(directory.c_str(), nullptr));
  }
  ~Directories() { std::filesystem::remove_all(parent); }

  std::wstring parent;
  std::wstring directory;
};

TEST_CASE("a directory that only its owner can write to is trusted") {
  const Directories made;
  CHECK(DistrustReason(made.directory) == L"");
}

TEST_CASE("a directory that others can write to is refused until it gets its rights") {
  const Directories made;
  OpenToEveryone(made.directory);
  CHECK(DistrustReason(made.directory) == L"its permissions let other accounts write to it");
  CHECK(IsWritableByOthers(made.directory));
  REQUIRE(SecureDirectory(made.directory, exit_module::kJournalRights) == ERROR_SUCCESS);
  CHECK(DistrustReason(made.directory) == L"");
  CHECK((RightsOfEveryone(made.directory) & FILE_WRITE_DATA) == 0);
}

TEST_CASE("a file is refused as long as others can write to it, or to its directory") {
  const Directories made;
  const std::wstring file = made.directory + L"\\certwire-exit.dll";
  CloseHandle(CreateFileW(file.c_str(), GENERIC_WRITE, 0, nullptr, CREATE_NEW, 0, nullptr));
  CloseToOthers(file);
  CHECK_FALSE(IsWritableByOthers(file));
  OpenToEveryone(made.directory);
  CHECK(IsWritableByOthers(file));
  CloseToOthers(made.directory);
  OpenToEveryone(file);
  CHECK(IsWritableByOthers(file));
}

TEST_CASE("a directory that others can read is found out, as long as they can") {
  const Directories made;
  OpenToEveryone(made.directory);
  CHECK(exit_module::IsReadableByOthers(made.directory));
  CloseToOthers(made.directory);
  CHECK_FALSE(exit_module::IsReadableByOthers(made.directory));
}

TEST_CASE("a file with a second name keeps its directory from being taken over") {
  const Directories made;
  const std::wstring file = made.directory + L"\\file";
  CloseHandle(CreateFileW(file.c_str(), GENERIC_WRITE, 0, nullptr, CREATE_NEW, 0, nullptr));
  OpenToEveryone(made.directory);
  REQUIRE(CreateHardLinkW((made.parent + L"\\second").c_str(), file.c_str(), nullptr));
  CHECK(SecureDirectory(made.directory, exit_module::kStateRights) == ERROR_TOO_MANY_LINKS);
  CHECK((RightsOfEveryone(made.directory) & FILE_WRITE_DATA) != 0);
}

TEST_CASE(
    "a file with a second name in a directory below keeps its directory from being taken over") {
  const Directories made;
  const std::wstring below = made.directory + L"\\dead-letters\\older";
  REQUIRE(std::filesystem::create_directories(below));
  const std::wstring file = below + L"\\file";
  CloseHandle(CreateFileW(file.c_str(), GENERIC_WRITE, 0, nullptr, CREATE_NEW, 0, nullptr));
  OpenToEveryone(made.directory);
  const std::wstring second = made.parent + L"\\second";
  REQUIRE(CreateHardLinkW(second.c_str(), file.c_str(), nullptr));
  CHECK(SecureDirectory(made.directory, exit_module::kStateRights) == ERROR_TOO_MANY_LINKS);
  CHECK((RightsOfEveryone(made.directory) & FILE_WRITE_DATA) != 0);
  REQUIRE(DeleteFileW(second.c_str()));
  CHECK(SecureDirectory(made.directory, exit_module::kStateRights) == ERROR_SUCCESS);
  CHECK((RightsOfEveryone(made.directory) & FILE_WRITE_DATA) == 0);
}

TEST_CASE("only a path of the local form is touched") {
  CHECK(exit_module::IsLocalFullPath(L"C:\\Certwire\\journal"));
  CHECK_FALSE(exit_module::IsLocalFullPath(L"\\\\server\\share\\journal"));
  CHECK_FALSE(exit_module::IsLocalFullPath(L"\\\\?\\UNC\\server\\share"));
}

TEST_CASE("a directory that others may replace is refused") {
  const Directories made;
  OpenToEveryone(made.parent);
  CHECK(DistrustReason(made.directory) ==
        L"the parent directory's permissions let other accounts replace it");
}

TEST_CASE("a path that is not spelled as Windows spells it is refused") {
  const Directories made;
  const std::wstring below = made.parent.substr(3);
  const std::wstring paths[] = {L"C:/" + below + L"/journal",
                                made.parent + L"/journal",
                                made.parent + L"\\.\\journal",
                                made.parent + L"\\x\\..\\journal",
                                made.directory + L".",
                                L"C:" + below,
                                L"\\\\server\\share\\journal",
                                L"journal",
                                L"C:\\"};
  for (const std::wstring& path : paths) {
    CHECK(DistrustReason(path) == L"it is not a full path on a local drive");
  }
}

TEST_CASE("a file in the place of a directory is not taken over") {
  const Directories made;
  const std::wstring file = made.directory + L"\\file";
  CloseHandle(CreateFileW(file.c_str(), GENERIC_WRITE, 0, nullptr, CREATE_NEW, 0, nullptr));
  CHECK(SecureDirectory(file, exit_module::kJournalRights) == ERROR_DIRECTORY);
  CHECK(DistrustReason(file) == L"it is not a directory");
}

}  // namespace
}  // namespace exit_module_test
