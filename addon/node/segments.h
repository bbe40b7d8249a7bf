#ifndef CERTWIRE_NODE_SEGMENTS_H_
#define CERTWIRE_NODE_SEGMENTS_H_

#include <napi.h>

namespace binding {

/// `listSegments` of src/native/addon.ts.
Napi::Value ListSegments(const Napi::CallbackInfo& info);
/// `deleteFile` of src/native/addon.ts.
Napi::Value DeleteSegmentFile(const Napi::CallbackInfo& info);

}  // namespace binding

#endif  // CERTWIRE_NODE_SEGMENTS_H_
