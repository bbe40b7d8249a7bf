#include "values.h"

namespace binding {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

Napi::Error ToError(Napi::Env env, journal::Status status, const std::string& file) {
  std::string text = status.what();
  if (!file.empty()) text += " " + file;
  if (status.os_error() != 0) text += " (system error " + std::to_string(status.os_error()) + ")";
  Napi::Error error = Napi::Error::New(env, text);
  error.Set("code", Napi::String::New(env, "CERTWIRE_JOURNAL_UNREADABLE"));
  error.Set("osError", Napi::Number::New(env, status.os_error()));
  return error;
}

Napi::BigInt ToBigInt(Napi::Env env, uint64_t value) { return Napi::BigInt::New(env, value); }

bool ParseEpochId(const std::string& hex, uint8_t out[16]) {
  if (hex.size() != 32) return false;
  for (size_t i = 0; i < 16; i++) {
    const int high = HexDigit(hex[2 * i]);
    const int low = HexDigit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<uint8_t>(high * 16 + low);
  }
  return true;
}

}  // namespace binding
