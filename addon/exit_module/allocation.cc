// Memory of this DLL. Throwing std::bad_alloc would need memory itself: the runtime keeps the state
// of exceptions per thread, allocates it at the first throw, and aborts the process when it cannot.
// So a failure is raised as a structured exception instead, which the fault guard of the entry
// point catches; the event is counted as dropped.
#include <windows.h>

#include <cstdlib>
#include <new>

#include "fault_guard.h"

namespace {

void* Allocate(size_t size) {
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) {
    RaiseException(exit_module::kOutOfMemory, EXCEPTION_NONCONTINUABLE, 0, nullptr);
  }
  return memory;
}

}  // namespace

void* operator new(size_t size) { return Allocate(size); }
void* operator new[](size_t size) { return Allocate(size); }
void* operator new(size_t size, const std::nothrow_t&) noexcept { return std::malloc(size); }
void* operator new[](size_t size, const std::nothrow_t&) noexcept { return std::malloc(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
