#include "support/scale.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace test {
namespace {

double ReadScale() {
  const char* text = std::getenv("CERTWIRE_TEST_SCALE");
  if (text == nullptr || *text == 0) return 1;
  char* end = nullptr;
  const double scale = std::strtod(text, &end);
  if (*end == 0 && std::isfinite(scale) && scale > 0) return scale;
  std::fprintf(stderr, "CERTWIRE_TEST_SCALE is not a positive number: %s\n", text);
  std::exit(2);
}

}  // namespace

uint64_t Scaled(uint64_t count, uint64_t least) {
  const double scaled = std::round(static_cast<double>(count) * ReadScale());
  return std::max(static_cast<uint64_t>(scaled), least);
}

}  // namespace test
