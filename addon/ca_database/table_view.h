#ifndef CERTWIRE_CA_DATABASE_TABLE_VIEW_H_
#define CERTWIRE_CA_DATABASE_TABLE_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <vector>

#include "ca_database/com.h"
#include "collect/record.h"
#include "journal/units.h"

namespace ca_database {

/// One view of a table of the CA's database, through a connection of its own. The calls of the
/// class come in the order in which they stand here; each needs an apartment.
class TableView {
 public:
  /// A view ends with the row whose values take more than this together.
  static constexpr size_t kMaxPageBytes = 16 * journal::kMebibyte;

  /// The time of the view runs from here: the CA works before the view is open, too.
  TableView() : began_ms_(NowMs()) {}

  /// `table`: CVRC_TABLE_*.
  Failure Connect(const std::wstring& config, LONG table);

  /// Adds a column by its name, because it has another number on another server. One that the
  /// server does not have is a failure if it is `needed`; else `found` is false.
  Failure AddColumn(const std::wstring& name, bool needed, bool* found);

  /// Makes the added columns those of the view.
  Failure SelectColumns();

  /// Restricts the rows by a column, counted from 0 in the order of adding. `seek`: CVR_SEEK_*,
  /// `sort`: CVR_SORT_*.
  HRESULT RestrictNumber(size_t column, LONG seek, int32_t number, LONG sort);
  HRESULT RestrictDate(size_t column, LONG seek, DATE date, LONG sort);

  Failure Open();

  /// Counts bytes that a row has made the CA read.
  void Take(size_t bytes) { taken_ += bytes; }

  /// Calls `read` on each row until the page is full or there are no more. No row is begun
  /// `request.max_view_ms` after the view was opened.
  template <typename Request, typename Page, typename Read>
  Failure ReadRows(const Request& request, Page* page, Read read) {
    while (page->rows.size() < request.max_rows && taken_ < kMaxPageBytes) {
      if (NowMs() - opened_ms_ >= request.max_view_ms) return {};
      Failure failure = Next(&page->is_end);
      if (!failure.ok() || page->is_end) return failure;
      failure = read();
      if (!failure.ok()) return failure;
    }
    return {};
  }

  /// Calls `take(column, result, value)` on each value of the current row. It returns a failure to
  /// end the view.
  template <typename Take>
  Failure ReadValues(Take take) {
    Reference<IEnumCERTVIEWCOLUMN> values;
    HRESULT result = row_->EnumCertViewColumn(values.Out());
    if (SUCCEEDED(result) && !values) result = E_NOINTERFACE;
    if (FAILED(result)) return {result, "IEnumCERTVIEWROW::EnumCertViewColumn"};
    for (size_t column = 0; column < indexes_.size(); ++column) {
      LONG index = -1;
      result = values->Next(&index);
      if (FAILED(result)) return {result, "IEnumCERTVIEWCOLUMN::Next"};
      if (result != S_OK) return {kBadRow, "a row with fewer columns"};
      Variant value;
      result = values->GetValue(CV_OUT_BINARY, value.Out());
      if (FAILED(result) && EndsView(result)) return {result, kGetValue};
      const Failure failure = take(column, result, value);
      if (!failure.ok()) return failure;
    }
    return {};
  }

  /// The current row, for its attributes and extensions.
  const Reference<IEnumCERTVIEWROW>& row() const { return row_; }

  /// Ends the view; how long the CA was asked, in milliseconds.
  uint64_t Close();

  /// The method whose failures `ReadValues` gives to its function.
  static constexpr char kGetValue[] = "IEnumCERTVIEWCOLUMN::GetValue";

 private:
  static uint64_t NowMs();

  Failure Next(bool* is_end);

  const uint64_t began_ms_;
  uint64_t opened_ms_ = 0;
  size_t taken_ = 0;           ///< bytes of values
  std::vector<LONG> indexes_;  ///< of the added columns in the table
  // The enumerator of the rows goes before the object that made it.
  Reference<ICertView2> view_;
  Reference<IEnumCERTVIEWROW> row_;
};

/// A record of event 0, made now by this thread.
collect::Record EmptyRecord(int32_t context);

/// Where a record stands among others.
struct RecordPlace {
  size_t offset = 0;
  size_t size = 0;
};

/// Encodes a record to the end of `records`.
RecordPlace Append(const collect::Record& record, std::vector<uint8_t>* records);

/// Does work that makes calls, in an apartment; nothing leaves the thread.
template <typename Work>
Failure InApartment(Work work) {
  const Apartment apartment;
  if (FAILED(apartment.result())) return {apartment.result(), "CoInitializeEx"};
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return {E_OUTOFMEMORY, "memory for an answer"};
  } catch (...) {
    return {E_FAIL, "reading an answer"};
  }
}

}  // namespace ca_database

#endif  // CERTWIRE_CA_DATABASE_TABLE_VIEW_H_
