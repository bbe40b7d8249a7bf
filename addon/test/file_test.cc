#include "journal/file.h"

#include <doctest/doctest.h>

#include <string>

#include "support/temp_directory.h"

using journal::OpenMode;
using journal::Status;

TEST_CASE(
    "a file that is deleted while a process has it open counts as gone, or its name as taken") {
  journal::FileSystem* files = journal::DefaultFileSystem();
  const test::TempDirectory directory;
  const std::string path = directory.file("e0000000001-s000000.cej");
  std::unique_ptr<journal::File> writing;
  REQUIRE(files->Open(path.c_str(), OpenMode::kCreateNew, &writing).ok());
  REQUIRE(writing->WriteAt(0, "abc", 3).ok());
  std::unique_ptr<journal::File> reading;
  REQUIRE(files->Open(path.c_str(), OpenMode::kRead, &reading).ok());
  REQUIRE(files->Delete(path.c_str()).ok());
  std::unique_ptr<journal::File> other;
  const Status opened = files->Open(path.c_str(), OpenMode::kRead, &other);
  CHECK((opened.ok() || opened.code() == Status::Code::kNotFound));
  other.reset();
  const Status again = files->Delete(path.c_str());
  CHECK((again.ok() || again.code() == Status::Code::kNotFound));
  // Who has it open reads it to its end.
  char text[4] = {};
  size_t read = 0;
  CHECK(reading->ReadAt(0, text, 3, &read).ok());
  CHECK(std::string(text) == "abc");
  const Status taken = files->Open(path.c_str(), OpenMode::kCreateNew, &other);
  CHECK((taken.ok() || taken.code() == Status::Code::kExists));
}

TEST_CASE("a missing file, an existing one and one that is not a file are told apart") {
  journal::FileSystem* files = journal::DefaultFileSystem();
  const test::TempDirectory directory;
  const std::string path = directory.file("file");
  std::unique_ptr<journal::File> file;
  CHECK(files->Open(path.c_str(), OpenMode::kRead, &file).code() == Status::Code::kNotFound);
  CHECK(files->Delete(path.c_str()).code() == Status::Code::kNotFound);
  REQUIRE(files->Open(path.c_str(), OpenMode::kCreateNew, &file).ok());
  CHECK(files->Open(path.c_str(), OpenMode::kCreateNew, &file).code() == Status::Code::kExists);
  CHECK_FALSE(files->Open(directory.str().c_str(), OpenMode::kOpenOrCreate, &file).ok());
}
