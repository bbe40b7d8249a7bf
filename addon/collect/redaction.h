#ifndef CERTWIRE_COLLECT_REDACTION_H_
#define CERTWIRE_COLLECT_REDACTION_H_

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace collect {

/// True for the names of attributes whose value is a password (`Challenge`, `ExpectedChallenge`),
/// compared as the CA does: ignoring case, spaces and hyphens.
bool IsSecretAttribute(std::u16string_view name);

/// `text` (UTF-16LE, lines `name:value`) with `[redacted]` in place of the value of every secret
/// line; all else stays byte for byte, also a last odd byte.
std::vector<uint8_t> RedactRequestAttributes(std::span<const uint8_t> text);

}  // namespace collect

#endif  // CERTWIRE_COLLECT_REDACTION_H_
