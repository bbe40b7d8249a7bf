#ifndef CERTWIRE_CA_DATABASE_ROW_PAGE_H_
#define CERTWIRE_CA_DATABASE_ROW_PAGE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "ca_database/columns.h"
#include "ca_database/com.h"
#include "collect/redaction.h"

namespace ca_database {

/// Which rows are looked for, and their order.
enum class Scan {
  kOne,        ///< the row with the id `from`
  kNew,        ///< rows with an id above `from`, by rising id
  kNewest,     ///< rows with an id above `from`, the greatest first; for a page of one row
  kSubmitted,  ///< rows that were submitted at `since` or later, by rising SubmittedWhen
  kResolved,   ///< rows that were resolved at `since` or later, by rising ResolvedWhen
  kRevoked     ///< rows that were revoked or released at `since` or later, with an id above `from`
               ///< and at most `to`, by rising id
};

/// Which rows of the requests are read, in one view: at most `max_rows`, and fewer large ones.
struct PageRequest {
  std::wstring config;  ///< `COMPUTER\name of the CA`
  ColumnSet columns = ColumnSet::kScan;
  Scan scan = Scan::kNew;
  int32_t from = 0;
  int32_t to = 0;
  DATE since = 0;  ///< UTC
  uint32_t max_rows = 0;
  /// No row is begun this long after the view was opened, in milliseconds.
  uint32_t max_view_ms = 0;
  collect::SecretNames secrets;  ///< attributes whose values are not recorded
};

/// Rows that were read, each as a record of event 0 and context RequestID.
struct RowPage {
  struct Row {
    int32_t id = 0;
    size_t offset = 0;  ///< of its record in `records`
    size_t size = 0;
  };

  std::vector<uint8_t> records;
  std::vector<Row> rows;
  /// True if the database has no further row of this request.
  bool is_end = false;
  /// Columns that this server does not have.
  std::vector<std::wstring> lacking;
  uint64_t view_ms = 0;  ///< how long the CA was asked, with the opening of the view
};

/// Reads one page through a connection and a view of its own. When it fails, `page` is void. Blocks
/// as long as the certification authority does. Needs no apartment.
Failure ReadRowPage(const PageRequest& request, RowPage* page);

}  // namespace ca_database

#endif  // CERTWIRE_CA_DATABASE_ROW_PAGE_H_
