#ifndef CERTWIRE_STANDIN_RESOURCES_H_
#define CERTWIRE_STANDIN_RESOURCES_H_

#include <cstddef>

namespace standin {

/// What this process holds of the machine.
struct Resources {
  size_t handles = 0;
  size_t private_bytes = 0;
};

/// Throws std::runtime_error when the system does not say.
Resources MeasureResources();

}  // namespace standin

#endif  // CERTWIRE_STANDIN_RESOURCES_H_
