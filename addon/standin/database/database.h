#ifndef CERTWIRE_STANDIN_DATABASE_DATABASE_H_
#define CERTWIRE_STANDIN_DATABASE_DATABASE_H_

#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "database/columns.h"
#include "database/generated_rows.h"
#include "scenario.h"

namespace standin {

/// A row that the script lists.
struct DatabaseRow {
  Properties columns;
  std::vector<Attribute> attributes;
  std::vector<Extension> extensions;
};

/// Where in the run a call is made.
struct CallPlace {
  size_t view = 0;    ///< number of the view object, from 1; 0 for CCertAdmin
  size_t row = 0;     ///< row of the view, from 1; 0 for none
  std::wstring name;  ///< column or property; empty for none
};

/// The database of a made-up certification authority, and what its reader did. The script is the
/// JSON file that the environment variable CERTWIRE_DATABASE_STANDIN names;
/// test/scenarios/README.md describes it. Thread-safe.
class Database {
 public:
  /// The one of this process; lives as long as it. Ends the process if the script is wrong.
  static Database& Instance();

  explicit Database(const nlohmann::json& script);

  const std::wstring& config() const { return config_; }
  LONG roles() const { return roles_; }
  bool HasColumn(const DatabaseColumn& column) const { return !lacking_.contains(column.name); }

  /// What the script wants of a call: changes of the database first, then a failure, if any.
  HRESULT Suffer(const char* call, const CallPlace& place);

  /// The least id greater, or the greatest id less than `id`.
  std::optional<LONG> Next(DatabaseTable table, int64_t id, bool ascending) const;
  /// Null for an empty column, and for a row that is gone.
  std::optional<Value> Get(DatabaseTable table, LONG id, const DatabaseColumn& column) const;
  std::vector<Attribute> AttributesOf(LONG id) const;
  std::vector<Extension> ExtensionsOf(LONG id) const;
  /// A property of the certification authority, `id` or `id.index`.
  std::optional<Value> CaProperty(const std::wstring& name) const;

  void Violation(const std::string& what);
  std::set<std::string> violations() const;
  void ObjectMade();
  void ObjectGone();
  size_t NewView();
  void ColumnSelected(const DatabaseColumn& column);
  void ViewOpened();
  void ViewClosed(size_t rows, uint64_t milliseconds);

  size_t max_rows() const { return max_rows_; }
  uint64_t max_view_ms() const { return max_view_ms_; }

 private:
  struct ScriptedFault {
    std::string call;
    std::optional<size_t> view;
    std::optional<size_t> row;
    std::optional<std::wstring> name;
    Fault fault;
    size_t times = 0;  ///< left
  };
  struct Change {
    size_t view = 0;
    size_t row = 0;
    nlohmann::json content;
  };

  void Apply(const nlohmann::json& change);
  void AddRow(const nlohmann::json& row);
  void AddCrl(const nlohmann::json& row);
  std::optional<LONG> NextListed(DatabaseTable table, int64_t id, bool ascending) const;
  void WriteReport() const;

  mutable std::mutex mutex_;
  std::wstring config_;
  std::wstring report_;
  LONG roles_ = 0;
  std::set<std::wstring> lacking_;
  size_t max_rows_ = 0;
  uint64_t max_view_ms_ = 0;
  Properties ca_;
  std::map<LONG, DatabaseRow> rows_;
  std::set<LONG> deleted_;
  std::map<LONG, DatabaseRow> crls_;
  GeneratedRows generated_;
  std::vector<ScriptedFault> faults_;
  std::vector<Change> changes_;

  size_t objects_ = 0;
  size_t views_ = 0;
  size_t open_views_ = 0;
  uint64_t served_ = 0;
  uint64_t longest_view_ms_ = 0;
  std::map<std::string, uint64_t> calls_;
  std::set<std::string> violations_;
  std::set<std::wstring> selected_;
};

}  // namespace standin

#endif  // CERTWIRE_STANDIN_DATABASE_DATABASE_H_
