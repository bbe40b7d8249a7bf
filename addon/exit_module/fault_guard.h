#ifndef CERTWIRE_EXIT_MODULE_FAULT_GUARD_H_
#define CERTWIRE_EXIT_MODULE_FAULT_GUARD_H_

#include <cstdint>

namespace exit_module {

/// What ended a guarded call.
struct Fault {
  uint32_t code = 0;  ///< of the structured exception, for example 0xC0000005
  const void* address = nullptr;
};

/// Raised instead of std::bad_alloc, see allocation.cc.
inline constexpr uint32_t kOutOfMemory = 0xE0000001;

/// Implemented in fault_guard.S: calls `function(argument)` and returns true, or catches a hardware
/// fault or another severe structured exception, fills `fault` and returns false. Destructors of
/// the frames in between do not run: whatever they held stays held.
extern "C" bool CertwireGuardedCall(void (*function)(void*), void* argument, Fault* fault);

/// Runs `action` under the guard.
template <typename Action>
bool Guarded(Action action, Fault* fault) {
  return CertwireGuardedCall([](void* self) { (*static_cast<Action*>(self))(); }, &action, fault);
}

}  // namespace exit_module

#endif  // CERTWIRE_EXIT_MODULE_FAULT_GUARD_H_
