#ifndef CERTWIRE_EXIT_MODULE_TEST_FAILING_MEMORY_H_
#define CERTWIRE_EXIT_MODULE_TEST_FAILING_MEMORY_H_

#include <cstddef>

namespace exit_module_test {

/// Lets one allocation of the loaded certwire-exit.dll on this thread fail, by its import of
/// malloc, as long as the object lives: the one after `good` others.
class FailingMemory {
 public:
  explicit FailingMemory(size_t good);
  ~FailingMemory();
  FailingMemory(const FailingMemory&) = delete;
  FailingMemory& operator=(const FailingMemory&) = delete;

  /// True once an allocation has failed.
  bool failed() const;
};

}  // namespace exit_module_test

#endif  // CERTWIRE_EXIT_MODULE_TEST_FAILING_MEMORY_H_
