#ifndef CERTWIRE_NODE_WINDOWS_TRUST_H_
#define CERTWIRE_NODE_WINDOWS_TRUST_H_

#include <windows.h>

#include <string>

namespace binding {

/// The answer of WinVerifyTrust about the signature in a file: 0 if it is valid. Asks no network.
LONG VerifySignature(const std::wstring& path);

}  // namespace binding

#endif  // CERTWIRE_NODE_WINDOWS_TRUST_H_
