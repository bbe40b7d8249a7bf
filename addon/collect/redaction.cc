#include "collect/redaction.h"

#include <algorithm>
#include <optional>

#include "collect/utf16.h"

namespace collect {
namespace {

constexpr std::u16string_view kRedacted = u"[redacted]";

/// The words of src/x509/secret-names.ts.
constexpr std::u16string_view kSecretWords[] = {u"challenge", u"password", u"passphrase",
                                                u"passwd",    u"secret",   u"archivedkey"};

/// How often percent encoding may have been applied on top of itself.
constexpr int kMaxEncodings = 4;

/// The wide forms of `!` to `~` that East Asian input makes.
constexpr char16_t kFirstWide = 0xFF01;
constexpr char16_t kLastWide = 0xFF5E;

std::optional<unsigned> HexDigit(char16_t unit) {
  if (unit >= u'0' && unit <= u'9') return unit - u'0';
  if (unit >= u'a' && unit <= u'f') return unit - u'a' + 10u;
  if (unit >= u'A' && unit <= u'F') return unit - u'A' + 10u;
  return std::nullopt;
}

/// The characters of `name` with wide forms narrowed; without NUL, which would hide a `%`.
std::u16string Narrowed(std::u16string_view name) {
  std::u16string narrow;
  for (const char16_t unit : name) {
    if (unit == u'\0') continue;
    const bool is_wide = unit >= kFirstWide && unit <= kLastWide;
    narrow += is_wide ? static_cast<char16_t>(unit - kFirstWide + u'!') : unit;
  }
  return narrow;
}

std::u16string Decoded(std::u16string_view text) {
  std::u16string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto high = text[i] == u'%' && i + 2 < text.size() ? HexDigit(text[i + 1]) : std::nullopt;
    const auto low = high.has_value() ? HexDigit(text[i + 2]) : std::nullopt;
    if (low.has_value()) {
      decoded += static_cast<char16_t>(*high * 16 + *low);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

/// Only the letters and digits, in lower case and decoded.
std::u16string LettersOf(std::u16string_view name) {
  std::u16string plain = Narrowed(name);
  for (int i = 0; i < kMaxEncodings && plain.find(u'%') != plain.npos; ++i) plain = Decoded(plain);
  std::u16string letters;
  for (char16_t unit : plain) {
    if (unit >= u'A' && unit <= u'Z') unit = static_cast<char16_t>(unit - u'A' + u'a');
    if ((unit >= u'a' && unit <= u'z') || (unit >= u'0' && unit <= u'9')) letters += unit;
  }
  return letters;
}

bool IsLineEnd(char16_t unit) { return unit == u'\n' || unit == u'\r'; }

}  // namespace

SecretNames::SecretNames(const std::vector<std::u16string>& more) {
  for (const std::u16string& name : more) {
    std::u16string letters = LettersOf(name);
    if (!letters.empty()) more_.push_back(std::move(letters));
  }
}

bool SecretNames::Has(std::u16string_view name) const {
  const std::u16string letters = LettersOf(name);
  // Without the digits at its end: Password1.
  const std::u16string_view stem(letters.data(), letters.find_last_not_of(u"0123456789") + 1);
  return std::any_of(std::begin(kSecretWords), std::end(kSecretWords),
                     [&](std::u16string_view word) { return stem.ends_with(word); }) ||
         std::find(more_.begin(), more_.end(), letters) != more_.end();
}

void SecretNames::AppendLine(std::u16string_view line, std::u16string* out) const {
  const size_t colon = line.find(u':');
  const bool secret = colon != line.npos && Has(line.substr(0, colon));
  out->append(secret ? line.substr(0, colon + 1) : line);
  if (secret) out->append(kRedacted);
}

std::vector<uint8_t> SecretNames::Redact(std::span<const uint8_t> text) const {
  std::u16string units(text.size() / 2, u'\0');
  for (size_t i = 0; i < units.size(); ++i) {
    units[i] = static_cast<char16_t>(text[2 * i] | (text[2 * i + 1] << 8));
  }
  std::u16string redacted;
  const std::u16string_view all = units;
  for (size_t start = 0; start < all.size();) {
    size_t end = start;
    while (end < all.size() && !IsLineEnd(all[end])) ++end;
    AppendLine(all.substr(start, end - start), &redacted);
    if (end < all.size()) redacted += all[end++];
    start = end;
  }
  const auto bytes = BytesOf(redacted);
  std::vector<uint8_t> result(bytes.begin(), bytes.end());
  if (text.size() % 2 != 0) result.push_back(text.back());
  return result;
}

}  // namespace collect
