#include "collect/clock.h"

#include <type_traits>

#include "journal/clock.h"
#include "journal/units.h"

namespace collect {
namespace {

class OsClock final : public Clock {
 public:
  uint64_t UtcTime() const override { return journal::UtcTime(); }
  uint64_t MonotonicMs() const override {
    return journal::MonotonicNanos() / journal::kNanosPerMillisecond;
  }
};

// Nothing may happen in the process of the CA when it exits.
static_assert(std::is_trivially_destructible_v<OsClock>);
constinit const OsClock kSystemClock;

}  // namespace

const Clock& SystemClock() { return kSystemClock; }

}  // namespace collect
