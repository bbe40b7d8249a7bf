#ifndef CERTWIRE_CA_DATABASE_COLUMNS_H_
#define CERTWIRE_CA_DATABASE_COLUMNS_H_

#include <string>
#include <vector>

#include "collect/property_table.h"

namespace ca_database {

/// Which columns of the rows are read.
enum class ColumnSet {
  kScan,  ///< what tells which events a row stands for: small, no binary values
  kWhole  ///< everything that the exit module reads of a request
};

/// A column, and the property of the exit module that holds the same.
struct Column {
  std::wstring name;  ///< `Request.X` for the request, `X` for the certificate
  const collect::Property* property;
};

/// The columns of a set, that of the row's id first. None of them is RawArchivedKey.
std::vector<Column> ColumnsOf(ColumnSet set);

}  // namespace ca_database

#endif  // CERTWIRE_CA_DATABASE_COLUMNS_H_
