#include "database/generated_rows.h"

// The header of hashes needs the one above.
#include <bcrypt.h>

#include <memory>
#include <stdexcept>

namespace standin {
namespace {

constexpr DATE kFirstDay = 46023;  // 2026-01-01
constexpr int kSecondsPerDay = 86400;
constexpr LONG kDenied = static_cast<LONG>(0x80094014);
constexpr LONG kFailed = static_cast<LONG>(0x80094801);

Value LongValue(LONG number) {
  Value value;
  value.kind = ValueKind::kLong;
  value.number = number;
  return value;
}

Value DateValue(int64_t seconds) {
  Value value;
  value.kind = ValueKind::kDate;
  value.date = kFirstDay + static_cast<DATE>(seconds) / kSecondsPerDay;
  return value;
}

Value BytesValue(ValueKind kind, std::string bytes) {
  Value value;
  value.kind = kind;
  value.bytes = std::make_shared<const std::string>(std::move(bytes));
  return value;
}

Value TextValue(const std::wstring& text) {
  return BytesValue(ValueKind::kText,
                    {reinterpret_cast<const char*>(text.data()), text.size() * sizeof(wchar_t)});
}

/// `0a 1b ...`, as the database has it.
std::wstring SpacedSha1(std::string bytes) {
  static const BCRYPT_ALG_HANDLE sha1 = [] {
    BCRYPT_ALG_HANDLE handle = nullptr;
    BCryptOpenAlgorithmProvider(&handle, BCRYPT_SHA1_ALGORITHM, nullptr, 0);
    return handle;
  }();
  UCHAR hash[20];
  const NTSTATUS status = BCryptHash(sha1, nullptr, 0, reinterpret_cast<PUCHAR>(bytes.data()),
                                     static_cast<ULONG>(bytes.size()), hash, sizeof(hash));
  if (status != 0) throw std::runtime_error("SHA-1 failed");
  std::wstring text;
  for (const UCHAR byte : hash) {
    if (!text.empty()) text += L' ';
    text += L"0123456789abcdef"[byte >> 4];
    text += L"0123456789abcdef"[byte & 15];
  }
  return text;
}

}  // namespace

bool GeneratedRows::Has(LONG id) const {
  if (options_.count == 0 || id < options_.first_id || id > last_id()) return false;
  return (id - options_.first_id) % options_.stride == 0;
}

std::optional<LONG> GeneratedRows::After(int64_t id) const {
  if (options_.count == 0 || id >= last_id()) return std::nullopt;
  if (id < options_.first_id) return options_.first_id;
  const int64_t steps = (id - options_.first_id) / options_.stride + 1;
  return static_cast<LONG>(options_.first_id + steps * options_.stride);
}

std::optional<LONG> GeneratedRows::Before(int64_t id) const {
  if (options_.count == 0 || id <= options_.first_id) return std::nullopt;
  if (id > last_id()) return last_id();
  const int64_t steps = (id - 1 - options_.first_id) / options_.stride;
  return static_cast<LONG>(options_.first_id + steps * options_.stride);
}

std::string GeneratedRows::Certificate(LONG id) const {
  std::string der = options_.certificate;
  for (size_t i = 0; i < 4; ++i) {
    der.at(options_.serial_at + i) = static_cast<char>(static_cast<uint32_t>(id) >> (24 - 8 * i));
  }
  return der;
}

std::optional<Value> GeneratedRows::Get(LONG id, std::wstring_view column) const {
  const uint32_t mixed = static_cast<uint32_t>(id) * 2654435761u + options_.seed;
  const uint32_t share = mixed % 100;
  const bool is_revoked = share >= 80 && share < 88;
  const bool is_denied = share >= 88 && share < 93;
  const bool is_failed = share >= 93 && share < 96;
  const bool is_pending = share >= 96;
  const bool has_certificate = share < 88;
  const int64_t submitted = int64_t{id} * 10;
  if (column == L"RequestID" || column == L"Request.RequestID") return LongValue(id);
  if (column == L"Request.Disposition") {
    if (is_pending) return LongValue(9);
    return LongValue(is_revoked ? 21 : is_denied ? 31 : is_failed ? 30 : 20);
  }
  if (column == L"Request.StatusCode") {
    return LongValue(is_denied ? kDenied : is_failed ? kFailed : 0);
  }
  if (column == L"Request.SubmittedWhen") return DateValue(submitted);
  if (column == L"Request.ResolvedWhen" && !is_pending) return DateValue(submitted + 1);
  if (column == L"Request.RequesterName") {
    return TextValue(L"CONTOSO\\user" + std::to_wstring(mixed % 1000));
  }
  if (is_revoked) {
    if (column == L"Request.RevokedWhen" || column == L"Request.RevokedEffectiveWhen") {
      return DateValue(submitted + kSecondsPerDay);
    }
    if (column == L"Request.RevokedReason") return LongValue(static_cast<LONG>((mixed >> 8) % 6));
  }
  if (has_certificate) {
    if (column == L"RawCertificate") return BytesValue(ValueKind::kBinary, Certificate(id));
    if (column == L"CertificateHash") return TextValue(SpacedSha1(Certificate(id)));
  }
  return std::nullopt;
}

}  // namespace standin
