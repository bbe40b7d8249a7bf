#ifndef CERTWIRE_NODE_BAG_READER_H_
#define CERTWIRE_NODE_BAG_READER_H_

#include <napi.h>

#include "collect/bag_source.h"

namespace binding {

/// Fills `bag` from a `SimulatedEvent`; false when the object has another shape.
bool ReadBag(const Napi::Object& event, collect::PropertyBag* bag);

}  // namespace binding

#endif  // CERTWIRE_NODE_BAG_READER_H_
