// Entry of the addon: what JavaScript sees is declared in src/native/addon.ts.
#include <napi.h>

#include "file_lock.h"
#include "reader_wrap.h"
#include "segments.h"
#include "simulator_wrap.h"
#include "writer_beat.h"
#ifdef _WIN32
#include "ca_database_wrap.h"
#include "windows_system.h"
#endif

namespace binding {
namespace {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("JournalReader", ReaderWrap::Define(env));
  exports.Set("ExitSimulator", SimulatorWrap::Define(env));
  exports.Set("listSegments", Napi::Function::New(env, ListSegments, "listSegments"));
  exports.Set("readWriterBeat", Napi::Function::New(env, ReadWriterBeat, "readWriterBeat"));
  exports.Set("deleteFile", Napi::Function::New(env, DeleteSegmentFile, "deleteFile"));
  exports.Set("lockFile", Napi::Function::New(env, LockFile, "lockFile"));
#ifdef _WIN32
  exports.Set("windows", DefineWindows(env));
  exports.Set("caDatabase", DefineCaDatabase(env));
#endif
  return exports;
}

}  // namespace
}  // namespace binding

using binding::Init;
NODE_API_MODULE(certwire, Init)
