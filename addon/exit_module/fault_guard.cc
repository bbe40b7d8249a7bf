#include "fault_guard.h"

#include <windows.h>

namespace exit_module {
namespace {

/// Offset of the Fault pointer in the frame of CertwireGuardedCall.
constexpr size_t kFaultSlot = 32;

/// Hardware faults and exceptions of other compilers have severity "error". What C++ of this DLL
/// throws has not and finds its own handler. After a stack overflow nothing can run here.
bool IsCaught(DWORD code) { return code >> 30 == 3 && code != EXCEPTION_STACK_OVERFLOW; }

}  // namespace
}  // namespace exit_module

extern "C" LONG CertwireFaultFilter(EXCEPTION_POINTERS* exception, void* frame) {
  const EXCEPTION_RECORD& record = *exception->ExceptionRecord;
  if (!exit_module::IsCaught(record.ExceptionCode)) return EXCEPTION_CONTINUE_SEARCH;
  auto** slot =
      reinterpret_cast<exit_module::Fault**>(static_cast<char*>(frame) + exit_module::kFaultSlot);
  **slot = {static_cast<uint32_t>(record.ExceptionCode), record.ExceptionAddress};
  return EXCEPTION_EXECUTE_HANDLER;
}
