#ifndef CERTWIRE_NODE_WRITER_BEAT_H_
#define CERTWIRE_NODE_WRITER_BEAT_H_

#include <napi.h>

namespace binding {

/// `readWriterBeat` of src/native/addon.ts.
Napi::Value ReadWriterBeat(const Napi::CallbackInfo& info);

}  // namespace binding

#endif  // CERTWIRE_NODE_WRITER_BEAT_H_
