#ifndef CERTWIRE_NODE_WINDOWS_SYSTEM_H_
#define CERTWIRE_NODE_WINDOWS_SYSTEM_H_

#include <napi.h>

namespace binding {

/// `windows` of src/native/addon.ts: registry, services and rights of files.
Napi::Object DefineWindows(Napi::Env env);

}  // namespace binding

#endif  // CERTWIRE_NODE_WINDOWS_SYSTEM_H_
