// Whatever the checker accepts can be walked to its end.
#include <cstdlib>

#include "journal/cbor.h"
#include "support/cbor_check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (!test::CheckCbor(data, size).ok()) return 0;
  journal::CborCursor cursor(data, size);
  if (!cursor.SkipItem() || cursor.left() != 0) abort();
  return 0;
}
