// The exports of certwire-exit.dll. There is no DllMain: nothing of ours happens while Windows
// holds the loader's lock. winpthreads, which libstdc++ needs, does one thing there: it adds a
// vectored exception handler, which swallows only 0x406D1388, the exception that names a thread.
#include "class_factory.h"
#include "com.h"
#include "entry.h"
#include "process_recorder.h"
#include "registration.h"

STDAPI DllGetClassObject(REFCLSID clsid, REFIID iid, void** object) {
  if (object == nullptr) return E_POINTER;
  return exit_module::GuardedEntry([&] { return exit_module::GetClassObject(clsid, iid, object); });
}

STDAPI DllCanUnloadNow() {
  const bool used =
      exit_module::IsModuleReferenced() || exit_module::ProcessRecorder::Get() != nullptr;
  return used ? S_FALSE : S_OK;
}

STDAPI DllRegisterServer() { return exit_module::GuardedEntry(exit_module::Register); }

STDAPI DllUnregisterServer() { return exit_module::GuardedEntry(exit_module::Unregister); }
