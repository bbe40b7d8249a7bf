#ifndef CERTWIRE_TEST_SUPPORT_CHILD_PROCESS_H_
#define CERTWIRE_TEST_SUPPORT_CHILD_PROCESS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace test {

/// Another process that runs this program with other arguments.
class ChildProcess {
 public:
  explicit ChildProcess(const std::vector<std::string>& arguments);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Ends it at once, whatever it is doing.
  void Kill();
  /// True when it has ended, by itself or by Kill.
  bool HasEnded() const;
  /// Its exit code; -1 when it was killed.
  int Wait();

 private:
  intptr_t handle_ = -1;
};

/// Ends this process when its parent ends: nothing else would stop it. On Windows the console or
/// job of the test does that.
void EndWithParent();

/// Ends this process at once, as Kill does.
void KillThisProcess();

/// Memory of a file that several processes share. Zeros at first; it lives until all of them have
/// ended.
class SharedMemory {
 public:
  SharedMemory(const std::string& path, size_t size);
  /// Null when there is no such memory.
  void* get() const { return memory_; }

 private:
  void* memory_ = nullptr;
};

}  // namespace test

#endif  // CERTWIRE_TEST_SUPPORT_CHILD_PROCESS_H_
