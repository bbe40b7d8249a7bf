#ifndef CERTWIRE_STANDIN_DATABASE_COLUMNS_H_
#define CERTWIRE_STANDIN_DATABASE_COLUMNS_H_

#include <windows.h>

#include <span>

namespace standin {

/// The tables that are played.
enum class DatabaseTable { kRequests, kCrls };

/// A column of a table.
struct DatabaseColumn {
  const wchar_t* name;
  LONG type;  ///< PROPTYPE_*
  LONG max_bytes;
  bool is_indexed;
};

/// Those of Windows Server 2022, in an order of their own.
std::span<const DatabaseColumn> DatabaseColumns(DatabaseTable table);

/// True for the column that holds the id of the row.
bool IsKey(const DatabaseColumn& column);

}  // namespace standin

#endif  // CERTWIRE_STANDIN_DATABASE_COLUMNS_H_
