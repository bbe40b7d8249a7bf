#ifndef CERTWIRE_NODE_FILE_LOCK_H_
#define CERTWIRE_NODE_FILE_LOCK_H_

#include <napi.h>

namespace binding {

/// `lockFile` of src/native/addon.ts.
Napi::Value LockFile(const Napi::CallbackInfo& info);

}  // namespace binding

#endif  // CERTWIRE_NODE_FILE_LOCK_H_
