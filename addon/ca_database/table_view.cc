#include "ca_database/table_view.h"

#include "collect/clock.h"
#include "collect/record_encoder.h"
#include "collect/thread_ids.h"

namespace ca_database {

uint64_t TableView::NowMs() { return collect::SystemClock().MonotonicMs(); }

Failure TableView::Connect(const std::wstring& config, LONG table) {
  HRESULT result = Create(CLSID_CCertView, IID_ICertView2, &view_);
  if (FAILED(result)) return {result, "CoCreateInstance(CCertView)"};
  const Text place(config);
  result = view_->OpenConnection(place.get());
  if (FAILED(result)) return {result, "ICertView::OpenConnection"};
  // That of the requests is what a view has at first.
  if (table != CVRC_TABLE_REQCERT) result = view_->SetTable(table);
  return {result, "ICertView2::SetTable"};
}

Failure TableView::AddColumn(const std::wstring& name, bool needed, bool* found) {
  const Text text(name);
  LONG index = -1;
  const HRESULT result = view_->GetColumnIndex(CVRC_COLUMN_SCHEMA, text.get(), &index);
  if (FAILED(result) && (needed || EndsView(result))) return {result, "ICertView::GetColumnIndex"};
  *found = SUCCEEDED(result);
  if (*found) indexes_.push_back(index);
  return {};
}

Failure TableView::SelectColumns() {
  HRESULT result = view_->SetResultColumnCount(static_cast<LONG>(indexes_.size()));
  if (FAILED(result)) return {result, "ICertView::SetResultColumnCount"};
  for (const LONG index : indexes_) {
    result = view_->SetResultColumn(index);
    if (FAILED(result)) return {result, "ICertView::SetResultColumn"};
  }
  return {};
}

HRESULT TableView::RestrictNumber(size_t column, LONG seek, int32_t number, LONG sort) {
  VARIANT value;
  VariantInit(&value);
  V_VT(&value) = VT_I4;
  V_I4(&value) = number;
  return view_->SetRestriction(indexes_[column], seek, sort, &value);
}

HRESULT TableView::RestrictDate(size_t column, LONG seek, DATE date, LONG sort) {
  VARIANT value;
  VariantInit(&value);
  V_VT(&value) = VT_DATE;
  V_DATE(&value) = date;
  return view_->SetRestriction(indexes_[column], seek, sort, &value);
}

Failure TableView::Open() {
  HRESULT result = view_->OpenView(row_.Out());
  if (SUCCEEDED(result) && !row_) result = E_NOINTERFACE;
  opened_ms_ = NowMs();
  return {result, "ICertView::OpenView"};
}

Failure TableView::Next(bool* is_end) {
  LONG place = -1;
  const HRESULT result = row_->Next(&place);
  if (FAILED(result)) return {result, "IEnumCERTVIEWROW::Next"};
  *is_end = result != S_OK;
  return {};
}

uint64_t TableView::Close() {
  row_.Reset();
  view_.Reset();
  return NowMs() - began_ms_;
}

collect::Record EmptyRecord(int32_t context) {
  collect::Record record;
  record.time = collect::SystemClock().UtcTime();
  record.process_id = collect::CurrentProcessId();
  record.thread_id = collect::CurrentThreadId();
  record.context = context;
  return record;
}

RecordPlace Append(const collect::Record& record, std::vector<uint8_t>* records) {
  const RecordPlace place = {records->size(), EncodedSize(record)};
  records->resize(place.offset + place.size);
  EncodeRecord(record, records->data() + place.offset, place.size);
  return place;
}

}  // namespace ca_database
