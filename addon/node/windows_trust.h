#ifndef CERTWIRE_NODE_WINDOWS_TRUST_H_
#define CERTWIRE_NODE_WINDOWS_TRUST_H_

#include <windows.h>

#include <cstdint>
#include <string>

namespace binding {

/// The answer of WinVerifyTrust about the signature in a file: 0 if it is valid. Asks no network.
LONG VerifySignature(const std::wstring& path);

/// When a process was started, in ms since 1970. Returns an error of Windows.
DWORD ProcessStartedMs(DWORD process_id, int64_t* started_ms);

}  // namespace binding

#endif  // CERTWIRE_NODE_WINDOWS_TRUST_H_
