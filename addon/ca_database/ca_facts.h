#ifndef CERTWIRE_CA_DATABASE_CA_FACTS_H_
#define CERTWIRE_CA_DATABASE_CA_FACTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "ca_database/com.h"

namespace ca_database {

/// What a certification authority says of itself.
struct CaFacts {
  std::wstring name;
  std::wstring sanitized_name;
  std::wstring dns_name;
  int32_t type = 0;   ///< as the property CAType of the exit module
  int32_t roles = 0;  ///< CA_ACCESS_* that the caller has; 0 if it may not read the database
  /// DER of its own certificates, the oldest first.
  std::vector<std::vector<uint8_t>> certificates;
};

/// Most certificates of a certification authority that are read.
inline constexpr int32_t kMaxCaCertificates = 1024;

/// Asks the certification authority at `config`. Blocks as long as it does. Needs no apartment.
Failure ReadCaFacts(const std::wstring& config, CaFacts* facts);

}  // namespace ca_database

#endif  // CERTWIRE_CA_DATABASE_CA_FACTS_H_
