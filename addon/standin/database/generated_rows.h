#ifndef CERTWIRE_STANDIN_DATABASE_GENERATED_ROWS_H_
#define CERTWIRE_STANDIN_DATABASE_GENERATED_ROWS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "scenario.h"

namespace standin {

/// As many rows as wanted, made from their number when they are asked for. What they hold is
/// computed in the same way by test/wine/support/database-standin.ts.
class GeneratedRows {
 public:
  struct Options {
    LONG first_id = 1;
    LONG count = 0;
    LONG stride = 1;  ///< distance of two ids
    uint32_t seed = 0;
    std::string certificate;  ///< DER that each certificate is a copy of
    size_t serial_at = 0;     ///< where its last four bytes of serial number are
  };

  explicit GeneratedRows(Options options) : options_(std::move(options)) {}

  bool Has(LONG id) const;
  /// The least id that is greater than `id`.
  std::optional<LONG> After(int64_t id) const;
  /// The greatest id that is less than `id`.
  std::optional<LONG> Before(int64_t id) const;
  /// Null for an empty column.
  std::optional<Value> Get(LONG id, std::wstring_view column) const;

 private:
  LONG last_id() const { return options_.first_id + (options_.count - 1) * options_.stride; }
  std::string Certificate(LONG id) const;

  const Options options_;
};

}  // namespace standin

#endif  // CERTWIRE_STANDIN_DATABASE_GENERATED_ROWS_H_
