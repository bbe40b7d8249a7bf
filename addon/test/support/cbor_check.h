#ifndef CERTWIRE_TEST_SUPPORT_CBOR_CHECK_H_
#define CERTWIRE_TEST_SUPPORT_CBOR_CHECK_H_

#include <cstddef>
#include <cstdint>

#include "journal/status.h"
#include "journal/units.h"

namespace test {

/// Limits of a payload; every default is that of the record format.
struct CborLimits {
  size_t max_bytes = 16 * journal::kMebibyte;
  int max_depth = 8;            ///< arrays, maps and tags inside each other
  size_t max_items = 1u << 17;  ///< heads of any kind
};

/// Checks that `data` is exactly one item in core deterministic encoding (RFC 8949, 4.2): shortest
/// heads, definite lengths, map keys unique and in the order of their bytes, valid UTF-8, of the
/// simple values only false, true and null, no floating-point numbers; within the limits. Allocates
/// nothing.
journal::Status CheckCbor(const uint8_t* data, size_t size, const CborLimits& limits = {});

}  // namespace test

#endif  // CERTWIRE_TEST_SUPPORT_CBOR_CHECK_H_
