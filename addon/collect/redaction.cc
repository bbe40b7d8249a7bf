#include "collect/redaction.h"

#include <string>

#include "collect/utf16.h"

namespace collect {
namespace {

constexpr std::u16string_view kRedacted = u"[redacted]";

std::u16string Normalized(std::u16string_view name) {
  std::u16string normalized;
  for (const char16_t unit : name) {
    // Control characters are ignored too: rather blank one line too many than miss one.
    if (unit <= u' ' || unit == u'-') continue;
    normalized += unit >= u'A' && unit <= u'Z' ? static_cast<char16_t>(unit + (u'a' - u'A')) : unit;
  }
  return normalized;
}

bool IsLineEnd(char16_t unit) { return unit == u'\n' || unit == u'\r'; }

void AppendLine(std::u16string_view line, std::u16string* out) {
  const size_t colon = line.find(u':');
  const bool secret = colon != line.npos && IsSecretAttribute(line.substr(0, colon));
  out->append(secret ? line.substr(0, colon + 1) : line);
  if (secret) out->append(kRedacted);
}

}  // namespace

bool IsSecretAttribute(std::u16string_view name) {
  const std::u16string normalized = Normalized(name);
  return normalized == u"challenge" || normalized == u"expectedchallenge";
}

std::vector<uint8_t> RedactRequestAttributes(std::span<const uint8_t> text) {
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
