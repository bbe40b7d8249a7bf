#ifndef CERTWIRE_TEST_SUPPORT_TEMP_DIRECTORY_H_
#define CERTWIRE_TEST_SUPPORT_TEMP_DIRECTORY_H_

#include <atomic>
#include <filesystem>
#include <random>
#include <string>

namespace test {

/// An empty directory that is removed at the end of the test.
class TempDirectory {
 public:
  TempDirectory() {
    std::random_device random;
    path_ = std::filesystem::temp_directory_path() /
            ("certwire-" + std::to_string(random()) + std::to_string(random()));
    std::filesystem::create_directories(path_);
  }
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  std::string str() const { return path_.string(); }
  const std::filesystem::path& path() const { return path_; }
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace test

#endif  // CERTWIRE_TEST_SUPPORT_TEMP_DIRECTORY_H_
