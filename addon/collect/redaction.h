#ifndef CERTWIRE_COLLECT_REDACTION_H_
#define CERTWIRE_COLLECT_REDACTION_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace collect {

/// Which attributes of a request have a secret as their value. Immutable, so any thread may use it.
class SecretNames {
 public:
  SecretNames() = default;
  /// `more`: names of the CA's settings, beside those that are built in.
  explicit SecretNames(const std::vector<std::u16string>& more);

  /// True for a name that ends with a word of docs/reference/what-is-secret.md (`Challenge`,
  /// `ExpectedChallenge`), and for one of the settings. Case, percent encoding, wide forms of
  /// letters, and everything that is not a letter or digit make no difference.
  bool Has(std::u16string_view name) const;

  /// `text` (UTF-16LE, lines `name:value`) with `[redacted]` in place of the value of every secret
  /// line; all else stays byte for byte, also a last odd byte.
  std::vector<uint8_t> Redact(std::span<const uint8_t> text) const;

  bool operator==(const SecretNames&) const = default;

 private:
  void AppendLine(std::u16string_view line, std::u16string* out) const;

  std::vector<std::u16string> more_;  ///< only letters and digits, in lower case
};

}  // namespace collect

#endif  // CERTWIRE_COLLECT_REDACTION_H_
