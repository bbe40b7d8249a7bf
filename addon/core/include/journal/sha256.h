#ifndef CERTWIRE_JOURNAL_SHA256_H_
#define CERTWIRE_JOURNAL_SHA256_H_

#include <cstddef>
#include <cstdint>

namespace journal {

inline constexpr size_t kSha256Size = 32;

/// SHA-256 (FIPS 180-4) of data that comes in pieces, by the processor's own instructions if it has
/// them.
class Sha256 {
 public:
  /// `may_use_hardware`: false for tests of the other way.
  explicit Sha256(bool may_use_hardware = true);
  void Update(const void* data, size_t size);
  /// Writes the digest; the object may not be used any more.
  void Finish(uint8_t digest[kSha256Size]);

 private:
  void Blocks(const uint8_t* data, size_t count);

  const bool use_hardware_;
  uint32_t state_[8];
  uint64_t total_ = 0;
  uint8_t rest_[64];
};

}  // namespace journal

#endif  // CERTWIRE_JOURNAL_SHA256_H_
