#ifndef CERTWIRE_CA_DATABASE_CRLS_H_
#define CERTWIRE_CA_DATABASE_CRLS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ca_database/com.h"

namespace ca_database {

/// A row of the table of CRLs.
struct CrlRow {
  int32_t id = 0;
  /// Record of event 0 and context CRLRowId, with the CRL, unless the row holds none.
  std::vector<uint8_t> record;
  std::optional<DATE> published;  ///< CRLThisPublish, UTC
};

/// At most one row: a CRL may have hundreds of megabytes.
struct CrlPage {
  std::optional<CrlRow> row;  ///< none at the end of the table
  uint64_t view_ms = 0;       ///< how long the CA was asked, with the opening of the view
};

/// Reads the row with the least CRLRowId above `after`. When it fails, `page` is void. Blocks as
/// long as the certification authority does. Needs no apartment.
Failure ReadCrlRow(const std::wstring& config, int32_t after, CrlPage* page);

/// Which partitioned CRLs a certification authority publishes: for each of the certificates, one in
/// each partition from 1 to `count`.
struct CrlPartitions {
  int32_t count = 0;                  ///< 0: the CA does not partition its CRLs
  std::vector<int32_t> certificates;  ///< indexes of those with CRLs of their own
};

/// As `ReadCrlRow`.
Failure ReadCrlPartitions(const std::wstring& config, CrlPartitions* partitions);

/// Which of them is read.
struct PartitionedCrl {
  int32_t certificate = 0;
  int32_t partition = 0;
  bool delta = false;
};

/// Reads the current CRL of a partition as a record of event 0 and context 0, without a CRL if
/// there is none. As `ReadCrlRow`.
Failure ReadPartitionedCrl(const std::wstring& config, const PartitionedCrl& which,
                           std::vector<uint8_t>* record);

}  // namespace ca_database

#endif  // CERTWIRE_CA_DATABASE_CRLS_H_
