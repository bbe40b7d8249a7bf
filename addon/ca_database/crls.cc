#include "ca_database/crls.h"

// PROPTYPE_*.
#include <certsrv.h>

#include <algorithm>
#include <array>
#include <new>

#include "ca_database/ca_facts.h"
#include "ca_database/ca_properties.h"
#include "collect/clock.h"
#include "collect/record.h"
#include "collect/record_encoder.h"
#include "collect/recorded_value.h"
#include "collect/thread_ids.h"
#include "collect/variant_value.h"
#include "journal/units.h"

namespace ca_database {
namespace {

using collect::Record;
using collect::SourceValue;
using Kind = collect::SourceValue::Kind;

// The headers of mingw-w64 end with property 40.
constexpr LONG kCrlPartitionCount = 46;
constexpr LONG kPartitionedBaseCrl = 47;
constexpr LONG kPartitionedDeltaCrl = 48;
constexpr int32_t kCertificateValid = 3;  ///< CA_DISP_VALID, of a certificate with its own CRLs
constexpr int32_t kMaxPartitions = 0x7fff;
/// A page ends with the row whose CRL takes it beyond this.
constexpr size_t kMaxCrlBytes = 16 * journal::kMebibyte;
constexpr HRESULT kNoDeltaCrl = HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND);

/// Columns of the table of CRLs; the last one is missing on servers before 2019.
enum ColumnOf : size_t { kRowId, kNameId, kMinBase, kThisPublish, kRawCrl, kPartition, kColumns };
constexpr std::array<const wchar_t*, kColumns> kNames = {L"CRLRowId",   L"CRLNameId",
                                                         L"CRLMinBase", L"CRLThisPublish",
                                                         L"CRLRawCRL",  L"CRLPartitionIndex"};

Record EmptyRecord(int32_t context) {
  Record record;
  record.time = collect::SystemClock().UtcTime();
  record.process_id = collect::CurrentProcessId();
  record.thread_id = collect::CurrentThreadId();
  record.context = context;
  return record;
}

std::vector<uint8_t> Encoded(const Record& record) {
  std::vector<uint8_t> bytes(EncodedSize(record));
  EncodeRecord(record, bytes.data(), bytes.size());
  return bytes;
}

class CrlReader {
 public:
  CrlReader(const CrlPageRequest& request, CrlPage* page) : request_(request), page_(*page) {}

  Failure Run() {
    // The CA works from here on, before the view is open.
    const uint64_t began_ms = ReaderMs();
    Failure failure = Open();
    if (!failure.ok()) return failure;
    failure = ReadRows(ReaderMs());
    row_.Reset();
    view_.Reset();
    page_.view_ms = ReaderMs() - began_ms;
    return failure;
  }

 private:
  static uint64_t ReaderMs() { return collect::SystemClock().MonotonicMs(); }

  Failure Open() {
    HRESULT result = Create(CLSID_CCertView, IID_ICertView2, &view_);
    if (FAILED(result)) return {result, "CoCreateInstance(CCertView)"};
    const Text place(request_.config);
    result = view_->OpenConnection(place.get());
    if (FAILED(result)) return {result, "ICertView::OpenConnection"};
    result = view_->SetTable(CVRC_TABLE_CRL);
    if (FAILED(result)) return {result, "ICertView2::SetTable"};
    const Failure failure = SelectColumns();
    if (!failure.ok()) return failure;
    VARIANT from;
    VariantInit(&from);
    V_VT(&from) = VT_I4;
    V_I4(&from) = request_.after;
    result = view_->SetRestriction(indexes_.front(), CVR_SEEK_GT, CVR_SORT_ASCEND, &from);
    if (FAILED(result)) return {result, "ICertView::SetRestriction"};
    result = view_->OpenView(row_.Out());
    if (SUCCEEDED(result) && !row_) result = E_NOINTERFACE;
    return {result, "ICertView::OpenView"};
  }

  Failure SelectColumns() {
    for (size_t column = 0; column < kColumns; ++column) {
      const Text name(kNames[column]);
      LONG index = -1;
      const HRESULT result = view_->GetColumnIndex(CVRC_COLUMN_SCHEMA, name.get(), &index);
      if (FAILED(result) && (column != kPartition || EndsView(result))) {
        return {result, "ICertView::GetColumnIndex"};
      }
      if (SUCCEEDED(result)) indexes_.push_back(index);
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
    while (page_.rows.size() < request_.max_rows && crl_bytes_ < kMaxCrlBytes) {
      if (ReaderMs() - opened_ms >= request_.max_view_ms) return {};
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
    Reference<IEnumCERTVIEWCOLUMN> values;
    HRESULT result = row_->EnumCertViewColumn(values.Out());
    if (SUCCEEDED(result) && !values) result = E_NOINTERFACE;
    if (FAILED(result)) return {result, "IEnumCERTVIEWROW::EnumCertViewColumn"};
    std::array<Variant, kColumns> row;
    HRESULT der_result = S_OK;
    for (size_t column = 0; column < indexes_.size(); ++column) {
      LONG index = -1;
      result = values->Next(&index);
      if (FAILED(result)) return {result, "IEnumCERTVIEWCOLUMN::Next"};
      if (result != S_OK) return {kBadRow, "a row with fewer columns"};
      result = values->GetValue(CV_OUT_BINARY, row[column].Out());
      if (column == kRawCrl) der_result = result;
      const bool is_value = column != kRawCrl && result != kNoValue;
      if (FAILED(result) && (is_value || EndsView(result))) {
        return {result, "IEnumCERTVIEWCOLUMN::GetValue"};
      }
    }
    return Keep(row, der_result);
  }

  Failure Keep(const std::array<Variant, kColumns>& row, HRESULT der_result) {
    const std::optional<int32_t> id = NumberIn(row[kRowId]);
    if (!id.has_value()) return {kBadRow, "a row without a CRLRowId"};
    const int32_t last = page_.rows.empty() ? request_.after : page_.rows.back().id;
    if (*id <= last) return {kBadRow, "rows out of order"};
    // As of the CA's version: the index of the certificate is in the low word.
    const int32_t certificate = NumberIn(row[kNameId]).value_or(0) & 0xffff;
    const bool delta = NumberIn(row[kMinBase]).value_or(0) != 0;
    Record record = EmptyRecord(*id);
    const SourceValue der = collect::ToSourceValue(row[kRawCrl].get());
    if (FAILED(der_result) && der_result != kNoValue) {
      record.AddProblem(u"ca.RawCRL", collect::Reason::kHResult,
                        static_cast<collect::HResult>(der_result));
    } else if (der.kind == Kind::kBytes && der.size > 0) {
      record.AddCrl(certificate, delta, ToValue(der, collect::PropertyType::kBinary),
                    NumberIn(row[kPartition]).value_or(0));
      crl_bytes_ += der.size;
    }
    const size_t size = EncodedSize(record);
    const size_t offset = page_.records.size();
    page_.records.resize(offset + size);
    EncodeRecord(record, page_.records.data() + offset, size);
    page_.rows.push_back({*id, offset, size, DateIn(row[kThisPublish])});
    return {};
  }

  static std::optional<int32_t> NumberIn(const Variant& value) {
    const SourceValue number = collect::ToSourceValue(value.get());
    if (number.kind != Kind::kLong) return std::nullopt;
    return number.number;
  }

  static std::optional<DATE> DateIn(const Variant& value) {
    if (V_VT(&value.get()) != VT_DATE) return std::nullopt;
    return V_DATE(&value.get());
  }

  const CrlPageRequest& request_;
  CrlPage& page_;
  size_t crl_bytes_ = 0;  ///< of the CRLs that were read
  std::vector<LONG> indexes_;
  // The enumerator of the rows goes before the object that made it.
  Reference<ICertView2> view_;
  Reference<IEnumCERTVIEWROW> row_;
};

Failure FindPartitions(const std::wstring& config, CrlPartitions* partitions) {
  CaProperties ca(config);
  const Failure failure = ca.Open();
  if (!failure.ok()) return failure;
  HRESULT result = ca.ReadNumber(kCrlPartitionCount, 0, &partitions->count);
  // A server that does not know the property answers so, and one that does not partition.
  if (FAILED(result) && !EndsView(result)) return {};
  partitions->count = std::clamp(partitions->count, 0, kMaxPartitions);
  int32_t certificates = 0;
  if (SUCCEEDED(result)) result = ca.ReadNumber(CR_PROP_CASIGCERTCOUNT, 0, &certificates);
  certificates = std::min(certificates, kMaxCaCertificates);
  for (int32_t index = 0; SUCCEEDED(result) && index < certificates; ++index) {
    int32_t state = 0;
    result = ca.ReadNumber(CR_PROP_CRLSTATE, index, &state);
    if (SUCCEEDED(result) && state == kCertificateValid) partitions->certificates.push_back(index);
  }
  return {result, kGetCaProperty};
}

Failure FindCrl(const std::wstring& config, const PartitionedCrl& which,
                std::vector<uint8_t>* record) {
  CaProperties ca(config);
  const Failure failure = ca.Open();
  if (!failure.ok()) return failure;
  const LONG id = which.delta ? kPartitionedDeltaCrl : kPartitionedBaseCrl;
  const LONG index = which.partition << 16 | which.certificate;
  const HRESULT result = ca.Read(id, index, PROPTYPE_BINARY, Kind::kBytes);
  Record made = EmptyRecord(0);
  if (SUCCEEDED(result)) {
    made.AddCrl(which.certificate, which.delta, ToValue(ca.value(), collect::PropertyType::kBinary),
                which.partition);
  } else if (result != kNoDeltaCrl && result != kNoValue && result != E_INVALIDARG) {
    return {result, kGetCaProperty};
  }
  *record = Encoded(made);
  return {};
}

/// In an apartment; nothing may leave the thread.
template <typename Work>
Failure Guarded(Work work) {
  const Apartment apartment;
  if (FAILED(apartment.result())) return {apartment.result(), "CoInitializeEx"};
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return {E_OUTOFMEMORY, "memory for a CRL"};
  } catch (...) {
    return {E_FAIL, "reading a CRL"};
  }
}

}  // namespace

Failure ReadCrlPage(const CrlPageRequest& request, CrlPage* page) {
  return Guarded([&] { return CrlReader(request, page).Run(); });
}

Failure ReadCrlPartitions(const std::wstring& config, CrlPartitions* partitions) {
  return Guarded([&] { return FindPartitions(config, partitions); });
}

Failure ReadPartitionedCrl(const std::wstring& config, const PartitionedCrl& which,
                           std::vector<uint8_t>* record) {
  return Guarded([&] { return FindCrl(config, which, record); });
}

}  // namespace ca_database
