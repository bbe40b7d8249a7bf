#include "journal/sha256.h"

#include <atomic>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace journal {
namespace {

constexpr uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

constexpr uint32_t kInitial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                  0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

uint32_t BigEndian32(const uint8_t* p) {
  return uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | p[3];
}

void ExpandBlock(const uint8_t* block, uint32_t w[64]) {
  for (int i = 0; i < 16; ++i) w[i] = BigEndian32(block + 4 * i);
  for (int i = 16; i < 64; ++i) {
    const uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
    const uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
}

void HashBlock(uint32_t state[8], const uint8_t* block) {
  uint32_t w[64];
  ExpandBlock(block, w);
  uint32_t v[8];
  std::memcpy(v, state, sizeof(v));
  for (int i = 0; i < 64; i += 8) {
    // Instead of moving all eight on, each round takes them from one place further.
#pragma GCC unroll 8
    for (int j = 0; j < 8; ++j) {
      const auto at = [&](int letter) -> uint32_t& { return v[(letter - j) & 7]; };
      const uint32_t e = at(4);
      const uint32_t s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
      const uint32_t choice = (e & at(5)) ^ (~e & at(6));
      const uint32_t t1 = at(7) + s1 + choice + kRound[i + j] + w[i + j];
      const uint32_t a = at(0);
      const uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
      const uint32_t majority = (a & at(1)) ^ (a & at(2)) ^ (at(1) & at(2));
      at(3) += t1;
      at(7) = t1 + s0 + majority;
    }
  }
  for (int i = 0; i < 8; ++i) state[i] += v[i];
}

#if defined(__x86_64__)

#define CERTWIRE_SHA_TARGET __attribute__((target("sha,sse4.1,ssse3")))

CERTWIRE_SHA_TARGET __m128i Load(const void* from) {
  return _mm_loadu_si128(static_cast<const __m128i*>(from));
}

CERTWIRE_SHA_TARGET void Store(void* to, __m128i value) {
  _mm_storeu_si128(static_cast<__m128i*>(to), value);
}

/// The instructions want the state as ABEF and CDGH, from the highest word down.
CERTWIRE_SHA_TARGET void HashBlocksByHardware(uint32_t state[8], const uint8_t* data,
                                              size_t count) {
  const __m128i swap_bytes = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  const __m128i cdab = _mm_shuffle_epi32(Load(state), 0xB1);
  const __m128i efgh = _mm_shuffle_epi32(Load(state + 4), 0x1B);
  __m128i abef = _mm_alignr_epi8(cdab, efgh, 8);
  __m128i cdgh = _mm_blend_epi16(efgh, cdab, 0xF0);
  for (; count > 0; --count, data += 64) {
    const __m128i abef_before = abef;
    const __m128i cdgh_before = cdgh;
    __m128i w[4];
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
      __m128i& now = w[i & 3];
      if (i < 4) {
        now = _mm_shuffle_epi8(Load(data + 16 * i), swap_bytes);
      } else {
        const __m128i last = w[(i - 1) & 3];
        const __m128i middle = _mm_alignr_epi8(last, w[(i - 2) & 3], 4);
        now = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(now, w[(i - 3) & 3]), middle),
                                   last);
      }
      const __m128i keyed = _mm_add_epi32(now, Load(kRound + 4 * i));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, keyed);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(keyed, 0x0E));
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  const __m128i feba = _mm_shuffle_epi32(abef, 0x1B);
  const __m128i dchg = _mm_shuffle_epi32(cdgh, 0xB1);
  Store(state, _mm_blend_epi16(feba, dchg, 0xF0));
  Store(state + 4, _mm_alignr_epi8(dchg, feba, 8));
}

bool AskProcessor() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d) || (c & bit_SSSE3) == 0 || (c & bit_SSE4_1) == 0)
    return false;
  constexpr unsigned kSha = 1u << 29;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & kSha) != 0;
}

/// Asked once: in a virtual machine the question is slow.
bool HasHardware() {
  enum : uint8_t { kUnknown, kNo, kYes };
  static constinit std::atomic<uint8_t> answer{kUnknown};
  uint8_t known = answer.load(std::memory_order_relaxed);
  if (known == kUnknown) {
    known = AskProcessor() ? kYes : kNo;
    answer.store(known, std::memory_order_relaxed);
  }
  return known == kYes;
}

#else

void HashBlocksByHardware(uint32_t*, const uint8_t*, size_t) {}
bool HasHardware() { return false; }

#endif

}  // namespace

Sha256::Sha256(bool may_use_hardware) : use_hardware_(may_use_hardware && HasHardware()) {
  std::memcpy(state_, kInitial, sizeof(state_));
}

void Sha256::Blocks(const uint8_t* data, size_t count) {
  if (use_hardware_) return HashBlocksByHardware(state_, data, count);
  for (size_t i = 0; i < count; ++i) HashBlock(state_, data + 64 * i);
}

void Sha256::Update(const void* data, size_t size) {
  const auto* next = static_cast<const uint8_t*>(data);
  const size_t held = total_ % sizeof(rest_);
  total_ += size;
  if (held != 0) {
    const size_t space = sizeof(rest_) - held;
    const size_t part = size < space ? size : space;
    std::memcpy(rest_ + held, next, part);
    if (part < space) return;
    Blocks(rest_, 1);
    next += part;
    size -= part;
  }
  const size_t blocks = size / sizeof(rest_);
  Blocks(next, blocks);
  const size_t left = size % sizeof(rest_);
  if (left != 0) std::memcpy(rest_, next + blocks * sizeof(rest_), left);
}

void Sha256::Finish(uint8_t digest[kSha256Size]) {
  const uint64_t bits = total_ * 8;
  const uint8_t padding[64] = {0x80};
  const size_t held = total_ % sizeof(rest_);
  Update(padding, held < 56 ? 56 - held : 120 - held);
  uint8_t length[8];
  for (int i = 0; i < 8; ++i) length[i] = static_cast<uint8_t>(bits >> (56 - 8 * i));
  Update(length, sizeof(length));
  for (int i = 0; i < 32; ++i)
    digest[i] = static_cast<uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
}

}  // namespace journal
