#ifndef CERTWIRE_JOURNAL_SHA256_H_
#define CERTWIRE_JOURNAL_SHA256_H_

#include <cstddef>
#include <cstdint>

namespace journal {

inline constexpr size_t kSha256Size = 32;

/// SHA-256 (FIPS 180-4) of data that comes in pieces.
class Sha256 {
 public:
  Sha256();
  void Update(const void* data, size_t size);
  /// Writes the digest; the object may not be used any more.
  void Finish(uint8_t digest[kSha256Size]);

 private:
  void Block(const uint8_t* block);

  uint32_t state_[8];
  uint64_t total_ = 0;
  uint8_t rest_[64];
};

}  // namespace journal

#endif  // CERTWIRE_JOURNAL_SHA256_H_
