#include "ca_database/row_page.h"

#include <optional>
#include <string_view>
#include <utility>

#include "collect/clock.h"
#include "collect/collector.h"
#include "collect/record.h"
#include "collect/record_encoder.h"
#include "collect/recorded_value.h"
#include "collect/thread_ids.h"
#include "collect/utf16.h"
#include "collect/variant_value.h"
#include "journal/units.h"

namespace ca_database {
namespace {

using collect::Reason;
using collect::Record;
using collect::SourceValue;

/// A page ends with the row that takes it beyond this.
constexpr size_t kMaxPageBytes = 16 * journal::kMebibyte;

uint64_t Now() { return collect::SystemClock().MonotonicMs(); }

class PageReader {
 public:
  PageReader(const PageRequest& request, RowPage* page) : request_(request), page_(*page) {}

  Failure Run() {
    // The CA works from here on: it evaluates the restriction before the view is open.
    const uint64_t began_ms = Now();
    Failure failure = Open();
    if (!failure.ok()) return failure;
    failure = ReadRows(Now());
    row_.Reset();
    view_.Reset();
    page_.view_ms = Now() - began_ms;
    return failure;
  }

 private:
  Failure Open() {
    HRESULT result = Create(CLSID_CCertView, IID_ICertView2, &view_);
    if (FAILED(result)) return {result, "CoCreateInstance(CCertView)"};
    const Text config(request_.config);
    result = view_->OpenConnection(config.get());
    if (FAILED(result)) return {result, "ICertView::OpenConnection"};
    const Failure failure = SelectColumns();
    if (!failure.ok()) return failure;
    result = Restrict();
    if (FAILED(result)) return {result, "ICertView::SetRestriction"};
    result = view_->OpenView(row_.Out());
    if (SUCCEEDED(result) && !row_) result = E_NOINTERFACE;
    return {result, "ICertView::OpenView"};
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
    VARIANT value;
    VariantInit(&value);
    V_VT(&value) = VT_I4;
    V_I4(&value) = id;
    return view_->SetRestriction(indexes_.front(), seek, sort, &value);
  }

  HRESULT RestrictDate(std::wstring_view name, LONG sort) {
    VARIANT value;
    VariantInit(&value);
    V_VT(&value) = VT_DATE;
    V_DATE(&value) = request_.since;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].name != name) continue;
      return view_->SetRestriction(indexes_[i], CVR_SEEK_GE, sort, &value);
    }
    return kNoValue;
  }

  /// By name: an older server lacks some columns, and the others have other numbers there.
  Failure SelectColumns() {
    for (Column& column : ColumnsOf(request_.columns)) {
      const Text name(column.name);
      LONG index = -1;
      const HRESULT result = view_->GetColumnIndex(CVRC_COLUMN_SCHEMA, name.get(), &index);
      if (FAILED(result) && (EndsView(result) || indexes_.empty())) {
        return {result, "ICertView::GetColumnIndex"};
      }
      if (FAILED(result)) {
        page_.lacking.push_back(column.name);
        continue;
      }
      indexes_.push_back(index);
      columns_.push_back(std::move(column));
    }
    HRESULT result = view_->SetResultColumnCount(static_cast<LONG>(indexes_.size()));
    if (FAILED(result)) return {result, "ICertView::SetResultColumnCount"};
    for (const LONG index : indexes_) {
      result = view_->SetResultColumn(index);
      if (FAILED(result)) return {result, "ICertView::SetResultColumn"};
    }
    return {};
  }

  Failure ReadRows(uint64_t opened_ms) {
    while (page_.rows.size() < request_.max_rows && page_.records.size() < kMaxPageBytes) {
      if (Now() - opened_ms >= request_.max_view_ms) return {};
      LONG place = -1;
      const HRESULT result = row_->Next(&place);
      if (FAILED(result)) return {result, "IEnumCERTVIEWROW::Next"};
      if (result != S_OK) {
        page_.is_end = true;
        return {};
      }
      const Failure failure = ReadRow();
      if (!failure.ok()) return failure;
    }
    return {};
  }

  Failure ReadRow() {
    Record record;
    record.time = collect::SystemClock().UtcTime();
    record.process_id = collect::CurrentProcessId();
    record.thread_id = collect::CurrentThreadId();
    std::optional<int32_t> id;
    Failure failure = ReadColumns(&record, &id);
    if (failure.ok() && !id.has_value()) failure = {kBadRow, "a row without a RequestID"};
    if (failure.ok() && !IsNext(*id)) failure = {kBadRow, "rows out of order"};
    if (failure.ok() && request_.columns == ColumnSet::kWhole) failure = ReadLists(&record);
    if (!failure.ok()) return failure;
    record.context = *id;
    Keep(record);
    return failure;
  }

  bool IsNext(int32_t id) const {
    if (request_.scan == Scan::kOne) return id == request_.from && page_.rows.empty();
    // By a date, whoever knows the dates checks their order.
    const bool by_id = request_.scan == Scan::kNew || request_.scan == Scan::kRevoked;
    return !by_id || id > (page_.rows.empty() ? request_.from : page_.rows.back().id);
  }

  void Keep(const Record& record) {
    const size_t size = EncodedSize(record);
    const size_t offset = page_.records.size();
    page_.records.resize(offset + size);
    EncodeRecord(record, page_.records.data() + offset, size);
    page_.rows.push_back({record.context, offset, size});
  }

  Failure ReadColumns(Record* record, std::optional<int32_t>* id) {
    Reference<IEnumCERTVIEWCOLUMN> values;
    HRESULT result = row_->EnumCertViewColumn(values.Out());
    if (SUCCEEDED(result) && !values) result = E_NOINTERFACE;
    if (FAILED(result)) return {result, "IEnumCERTVIEWROW::EnumCertViewColumn"};
    for (const Column& column : columns_) {
      LONG index = -1;
      result = values->Next(&index);
      if (FAILED(result)) return {result, "IEnumCERTVIEWCOLUMN::Next"};
      if (result != S_OK) return {kBadRow, "a row with fewer columns"};
      Variant value;
      result = values->GetValue(CV_OUT_BINARY, value.Out());
      if (FAILED(result) && EndsView(result)) return {result, "IEnumCERTVIEWCOLUMN::GetValue"};
      const bool is_key = &column == &columns_.front();
      AddColumn(*column.property, result, value, record);
      if (is_key && SUCCEEDED(result)) *id = KeyOf(value);
    }
    return {};
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
    HRESULT result = row_->EnumCertViewAttribute(0, attributes.Out());
    Failure failure = EndOf(result, u"attributes", record);
    if (SUCCEEDED(result) && attributes) failure = ReadAttributes(attributes, record);
    attributes.Reset();
    if (!failure.ok()) return failure;
    Reference<IEnumCERTVIEWEXTENSION> extensions;
    result = row_->EnumCertViewExtension(0, extensions.Out());
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
  std::vector<Column> columns_;
  std::vector<LONG> indexes_;  ///< of `columns_` in the table
  // The enumerator of the rows goes before the object that made it.
  Reference<ICertView2> view_;
  Reference<IEnumCERTVIEWROW> row_;
};

}  // namespace

Failure ReadRowPage(const PageRequest& request, RowPage* page) {
  const Apartment apartment;
  if (FAILED(apartment.result())) return {apartment.result(), "CoInitializeEx"};
  try {
    return PageReader(request, page).Run();
  } catch (const std::bad_alloc&) {
    return {E_OUTOFMEMORY, "memory for a page"};
  } catch (...) {  // nothing may leave the thread
    return {E_FAIL, "reading a page"};
  }
}

}  // namespace ca_database
