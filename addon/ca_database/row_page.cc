#include "ca_database/row_page.h"

// PROPTYPE_BINARY.
#include <certsrv.h>

#include <optional>
#include <string_view>
#include <utility>

#include "ca_database/table_view.h"
#include "collect/collector.h"
#include "collect/record.h"
#include "collect/recorded_value.h"
#include "collect/utf16.h"
#include "collect/variant_value.h"

namespace ca_database {
namespace {

using collect::Reason;
using collect::Record;
using collect::SourceValue;

class PageReader {
 public:
  PageReader(const PageRequest& request, RowPage* page) : request_(request), page_(*page) {}

  Failure Run() {
    Failure failure = Open();
    if (failure.ok()) failure = view_.ReadRows(request_, &page_, [this] { return ReadRow(); });
    page_.view_ms = view_.Close();
    return failure;
  }

 private:
  Failure Open() {
    Failure failure = view_.Connect(request_.config, CVRC_TABLE_REQCERT);
    if (failure.ok()) failure = SelectColumns();
    if (!failure.ok()) return failure;
    const HRESULT result = Restrict();
    if (FAILED(result)) return {result, "ICertView::SetRestriction"};
    return view_.Open();
  }

  HRESULT Restrict() {
    switch (request_.scan) {
      case Scan::kOne:
        return RestrictId(CVR_SEEK_EQ, request_.from, CVR_SORT_ASCEND);
      case Scan::kNew:
        return RestrictId(CVR_SEEK_GT, request_.from, CVR_SORT_ASCEND);
      case Scan::kNewest:
        return RestrictId(CVR_SEEK_GT, request_.from, CVR_SORT_DESCEND);
      case Scan::kSubmitted:
        return RestrictDate(L"Request.SubmittedWhen", CVR_SORT_ASCEND);
      case Scan::kResolved:
        return RestrictDate(L"Request.ResolvedWhen", CVR_SORT_ASCEND);
      case Scan::kRevoked:
        break;
    }
    // A column with two restrictions must not be sorted; without a sort the rows come by their id.
    HRESULT result = RestrictId(CVR_SEEK_GT, request_.from, CVR_SORT_NONE);
    if (SUCCEEDED(result)) result = RestrictId(CVR_SEEK_LE, request_.to, CVR_SORT_NONE);
    return FAILED(result) ? result : RestrictDate(L"Request.RevokedWhen", CVR_SORT_NONE);
  }

  HRESULT RestrictId(LONG seek, int32_t id, LONG sort) {
    return view_.RestrictNumber(0, seek, id, sort);
  }

  HRESULT RestrictDate(std::wstring_view name, LONG sort) {
    for (size_t column = 0; column < columns_.size(); ++column) {
      if (columns_[column].name != name) continue;
      return view_.RestrictDate(column, CVR_SEEK_GE, request_.since, sort);
    }
    return kNoValue;
  }

  Failure SelectColumns() {
    for (Column& column : ColumnsOf(request_.columns)) {
      bool found = false;
      // An older server lacks some, and never the first one, of the row's id.
      const Failure failure = view_.AddColumn(column.name, columns_.empty(), &found);
      if (!failure.ok()) return failure;
      if (found) {
        columns_.push_back(std::move(column));
      } else {
        page_.lacking.push_back(column.name);
      }
    }
    return view_.SelectColumns();
  }

  Failure ReadRow() {
    Record record = EmptyRecord(0);
    std::optional<int32_t> id;
    Failure failure = ReadColumns(&record, &id);
    if (failure.ok() && !id.has_value()) failure = {kBadRow, "a row without a RequestID"};
    if (failure.ok() && !IsNext(*id)) failure = {kBadRow, "rows out of order"};
    if (failure.ok() && request_.columns == ColumnSet::kWhole) failure = ReadLists(&record);
    if (!failure.ok()) return failure;
    record.context = *id;
    const auto [offset, size] = Append(record, &page_.records);
    view_.Take(size);
    page_.rows.push_back({*id, offset, size});
    return failure;
  }

  bool IsNext(int32_t id) const {
    if (request_.scan == Scan::kOne) return id == request_.from && page_.rows.empty();
    // By a date, whoever knows the dates checks their order.
    const bool by_id = request_.scan == Scan::kNew || request_.scan == Scan::kRevoked;
    return !by_id || id > (page_.rows.empty() ? request_.from : page_.rows.back().id);
  }

  Failure ReadColumns(Record* record, std::optional<int32_t>* id) {
    return view_.ReadValues([&](size_t column, HRESULT result, const Variant& value) -> Failure {
      AddColumn(*columns_[column].property, result, value, record);
      if (column == 0 && SUCCEEDED(result)) *id = KeyOf(value);
      return {};
    });
  }

  static std::optional<int32_t> KeyOf(const Variant& value) {
    const SourceValue key = collect::ToSourceValue(value.get());
    if (key.kind != SourceValue::Kind::kLong) return std::nullopt;
    return key.number;
  }

  void AddColumn(const collect::Property& property, HRESULT result, const Variant& variant,
                 Record* record) const {
    if (result == kNoValue || (SUCCEEDED(result) && variant.IsNothing())) return;
    const auto name = [&] {
      return collect::QualifiedName(collect::GroupName(property.group), property.name);
    };
    if (FAILED(result)) {
      record->AddProblem(name(), Reason::kHResult, static_cast<collect::HResult>(result));
      return;
    }
    const SourceValue value = collect::ToSourceValue(variant.get());
    if (value.kind != collect::ExpectedKind(property.type)) {
      record->AddProblem(name(), Reason::kType);
      return;
    }
    record->AddProperty(property.group, property.name,
                        collect::ToValue(value, property, &request_.secrets));
  }

  Failure ReadLists(Record* record) {
    Reference<IEnumCERTVIEWATTRIBUTE> attributes;
    HRESULT result = view_.row()->EnumCertViewAttribute(0, attributes.Out());
    Failure failure = EndOf(result, u"attributes", record);
    if (SUCCEEDED(result) && attributes) failure = ReadAttributes(attributes, record);
    attributes.Reset();
    if (!failure.ok()) return failure;
    Reference<IEnumCERTVIEWEXTENSION> extensions;
    result = view_.row()->EnumCertViewExtension(0, extensions.Out());
    failure = EndOf(result, u"extensions", record);
    if (SUCCEEDED(result) && extensions) failure = ReadExtensions(extensions, record);
    return failure;
  }

  /// Of a failed call: the end of the page, or a problem of the row's record.
  static Failure EndOf(HRESULT result, const std::u16string& name, Record* record) {
    if (SUCCEEDED(result)) return {};
    if (EndsView(result)) return {result, "an enumeration of a row"};
    if (result != kNoValue) {
      record->AddProblem(name, Reason::kHResult, static_cast<collect::HResult>(result));
    }
    return {};
  }

  /// The next name of an enumeration; false at its end, at a limit, or when `failure` says why.
  template <typename Enumeration>
  static bool NextName(const Reference<Enumeration>& entries, const std::u16string& list,
                       int32_t count, Text* name, Record* record, Failure* failure) {
    LONG index = -1;
    HRESULT result = entries->Next(&index);
    if (result == S_OK) result = entries->GetName(name->Out());
    *failure = EndOf(result, list, record);
    if (result != S_OK) return false;
    if (count < collect::kMaxEntries && name->units().size() <= collect::kMaxNameUnits &&
        record->HasSpace()) {
      return true;
    }
    record->AddProblem(list, Reason::kLimit);
    return false;
  }

  Failure ReadAttributes(const Reference<IEnumCERTVIEWATTRIBUTE>& attributes, Record* record) {
    const std::u16string list = u"attributes";
    Failure failure;
    Text name;
    for (int32_t count = 0; NextName(attributes, list, count, &name, record, &failure); ++count) {
      if (request_.secrets.Has(name.units())) {
        record->AddAttribute(name.units(), collect::Value());
        continue;
      }
      Text value;
      const HRESULT result = attributes->GetValue(value.Out());
      failure = EndOf(result, collect::QualifiedName("attribute", name.units()), record);
      if (!failure.ok()) return failure;
      if (FAILED(result)) continue;
      record->AddAttribute(name.units(), collect::Value::Text(BytesOf(value.get())));
    }
    return failure;
  }

  Failure ReadExtensions(const Reference<IEnumCERTVIEWEXTENSION>& extensions, Record* record) {
    const std::u16string list = u"extensions";
    Failure failure;
    Text oid;
    for (int32_t count = 0; NextName(extensions, list, count, &oid, record, &failure); ++count) {
      const std::u16string qualified = collect::QualifiedName("extension", oid.units());
      Variant der;
      HRESULT result = extensions->GetValue(PROPTYPE_BINARY, CV_OUT_BINARY, der.Out());
      failure = EndOf(result, qualified, record);
      if (!failure.ok()) return failure;
      if (FAILED(result) || der.IsNothing()) continue;
      const SourceValue value = collect::ToSourceValue(der.get());
      if (value.kind != SourceValue::Kind::kBytes) {
        record->AddProblem(qualified, Reason::kType);
        continue;
      }
      LONG flags = 0;
      result = extensions->GetFlags(&flags);
      failure = EndOf(result, qualified, record);
      if (!failure.ok()) return failure;
      record->AddExtension(oid.units(), FAILED(result) ? 0 : flags,
                           collect::ToValue(value, collect::PropertyType::kBinary));
    }
    return failure;
  }

  static std::span<const uint8_t> BytesOf(const BSTR text) {
    if (text == nullptr) return {};
    return {reinterpret_cast<const uint8_t*>(text), SysStringByteLen(text)};
  }

  const PageRequest& request_;
  RowPage& page_;
  std::vector<Column> columns_;  ///< of the view
  TableView view_;
};

}  // namespace

Failure ReadRowPage(const PageRequest& request, RowPage* page) {
  return InApartment([&] { return PageReader(request, page).Run(); });
}

}  // namespace ca_database
