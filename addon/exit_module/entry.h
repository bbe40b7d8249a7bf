#ifndef CERTWIRE_EXIT_MODULE_ENTRY_H_
#define CERTWIRE_EXIT_MODULE_ENTRY_H_

#include <windows.h>

#include "fault_guard.h"

namespace exit_module {

/// Runs the body of a COM method: nothing that goes wrong in it leaves the DLL.
template <typename Body>
HRESULT GuardedEntry(Body body) noexcept {
  HRESULT result = E_UNEXPECTED;
  Fault fault;
  if (Guarded([&] { result = body(); }, &fault)) return result;
  return fault.code == kOutOfMemory ? E_OUTOFMEMORY : E_UNEXPECTED;
}

}  // namespace exit_module

#endif  // CERTWIRE_EXIT_MODULE_ENTRY_H_
