#ifndef CERTWIRE_CA_DATABASE_CRLS_H_
#define CERTWIRE_CA_DATABASE_CRLS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ca_database/com.h"

namespace ca_database {

/// Which rows of the table of CRLs are read, in one view: those with an id above `after`, by rising
/// id, at most `max_rows`, and fewer large ones.
struct CrlPageRequest {
  std::wstring config;  ///< `COMPUTER\name of the CA`
  int32_t after = 0;
  uint32_t max_rows = 0;
  /// No row is begun this long after the view was opened, in milliseconds.
  uint32_t max_view_ms = 0;
};

/// Rows that were read, each as a record of event 0 and context CRLRowId, with its CRL unless the
/// row holds none.
struct CrlPage {
  struct Row {
    int32_t id = 0;
    size_t offset = 0;  ///< of its record in `records`
    size_t size = 0;
    std::optional<DATE> published;  ///< CRLThisPublish, UTC
  };

  std::vector<uint8_t> records;
  std::vector<Row> rows;
  bool is_end = false;   ///< true if the table has no further row
  uint64_t view_ms = 0;  ///< how long the CA was asked, with the opening of the view
};

/// Reads one page through a connection and a view of its own; only one CRL, which may have hundreds
/// of megabytes, is in memory at a time. When it fails, `page` is void. Blocks as long as the
/// certification authority does. Needs no apartment.
Failure ReadCrlPage(const CrlPageRequest& request, CrlPage* page);

/// Which partitioned CRLs a certification authority publishes: for each of the certificates, one in
/// each partition from 1 to `count`.
struct CrlPartitions {
  int32_t count = 0;                  ///< 0: the CA does not partition its CRLs
  std::vector<int32_t> certificates;  ///< indexes of those with CRLs of their own
};

/// As `ReadCrlPage`.
Failure ReadCrlPartitions(const std::wstring& config, CrlPartitions* partitions);

/// Which of them is read.
struct PartitionedCrl {
  int32_t certificate = 0;
  int32_t partition = 0;
  bool delta = false;
};

/// Reads the current CRL of a partition as a record of event 0 and context 0, without a CRL if
/// there is none. As `ReadCrlPage`.
Failure ReadPartitionedCrl(const std::wstring& config, const PartitionedCrl& which,
                           std::vector<uint8_t>* record);

}  // namespace ca_database

#endif  // CERTWIRE_CA_DATABASE_CRLS_H_
