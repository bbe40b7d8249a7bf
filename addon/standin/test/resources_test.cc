// The figures must be able to grow, or a test that they do not would prove nothing.
#include "resources.h"

#include <doctest/doctest.h>
#include <windows.h>

#include <vector>

namespace standin {
namespace {

TEST_CASE("handles and memory that are held are counted") {
  constexpr size_t kHandles = 50;
  constexpr size_t kBytes = 16u << 20;
  const Resources before = MeasureResources();
  std::vector<HANDLE> events;
  for (size_t i = 0; i < kHandles; ++i) {
    events.push_back(CreateEventW(nullptr, TRUE, FALSE, nullptr));
  }
  const std::vector<char> memory(kBytes, 1);
  const Resources holding = MeasureResources();
  CHECK(holding.handles == before.handles + kHandles);
  CHECK(holding.private_bytes >= before.private_bytes + kBytes);
  for (HANDLE event : events) CloseHandle(event);
  CHECK(MeasureResources().handles == before.handles);
}

}  // namespace
}  // namespace standin
