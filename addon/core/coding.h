#ifndef CERTWIRE_CORE_CODING_H_
#define CERTWIRE_CORE_CODING_H_

#include <bit>
#include <cstdint>
#include <cstring>

namespace journal {

static_assert(std::endian::native == std::endian::little, "the journal is little-endian");

template <typename T>
void Put(uint8_t* to, T value) {
  std::memcpy(to, &value, sizeof(value));
}

template <typename T>
T Get(const uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

}  // namespace journal

#endif  // CERTWIRE_CORE_CODING_H_
