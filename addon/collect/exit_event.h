#ifndef CERTWIRE_COLLECT_EXIT_EVENT_H_
#define CERTWIRE_COLLECT_EXIT_EVENT_H_

#include <cstdint>

namespace collect {

/// What a certification authority reports: the EXITEVENT_* bits, plus the module's own start event.
enum ExitEvent : int32_t {
  kCertificateIssued = 0x1,
  kRequestPending = 0x2,
  kRequestDenied = 0x4,
  kCertificateRevoked = 0x8,
  kRequestRetrieved = 0x10,
  kCrlIssued = 0x20,
  kShutdown = 0x40,
  kStarted = 0x80,  ///< the module's own
  kCertificateImported = 0x200,
};

/// Every event that a CA sends: what Initialize asks for.
inline constexpr int32_t kEventMask = kCertificateIssued | kRequestPending | kRequestDenied |
                                      kCertificateRevoked | kRequestRetrieved | kCrlIssued |
                                      kShutdown | kCertificateImported;
static_assert(kEventMask == 0x27F);

/// The value of the property CRLState with which a CA certificate publishes a CRL of its own:
/// CA_DISP_VALID.
inline constexpr int32_t kCaCertificateValid = 3;

}  // namespace collect

#endif  // CERTWIRE_COLLECT_EXIT_EVENT_H_
