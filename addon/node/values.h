#ifndef CERTWIRE_NODE_VALUES_H_
#define CERTWIRE_NODE_VALUES_H_

#include <napi.h>

#include <cstdint>
#include <string>

#include "journal/status.h"

namespace binding {

/// JavaScript error for a failed status; `code` is CERTWIRE_JOURNAL_UNREADABLE. `file`: name of the
/// file that it is about, if it is about one.
Napi::Error ToError(Napi::Env env, journal::Status status, const std::string& file = "");

/// A bigint of JavaScript for an unsigned 64-bit number.
Napi::BigInt ToBigInt(Napi::Env env, uint64_t value);

/// 16 bytes of 32 hex digits; false when the text is anything else.
bool ParseEpochId(const std::string& hex, uint8_t out[16]);

}  // namespace binding

#endif  // CERTWIRE_NODE_VALUES_H_
