#include "ca_database/crls.h"

// PROPTYPE_*.
#include <certsrv.h>

#include <algorithm>
#include <array>

#include "ca_database/ca_facts.h"
#include "ca_database/ca_properties.h"
#include "ca_database/table_view.h"
#include "collect/record.h"
#include "collect/recorded_value.h"
#include "collect/variant_value.h"

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
constexpr HRESULT kNoDeltaCrl = HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND);

/// Columns of the table of CRLs. That of the CRL comes last, when the others of the row are known.
enum ColumnOf : size_t { kRowId, kNameId, kMinBase, kThisPublish, kPartition, kRawCrl, kColumns };
constexpr std::array<const wchar_t*, kColumns> kNames = {L"CRLRowId",          L"CRLNameId",
                                                         L"CRLMinBase",        L"CRLThisPublish",
                                                         L"CRLPartitionIndex", L"CRLRawCRL"};

/// What a row says besides its CRL.
struct CrlFacts {
  std::optional<int32_t> id;
  int32_t name = 0;
  bool delta = false;
  int32_t partition = 0;
  std::optional<DATE> published;
};

class CrlReader {
 public:
  CrlReader(const CrlPageRequest& request, CrlPage* page) : request_(request), page_(*page) {}

  Failure Run() {
    Failure failure = Open();
    if (failure.ok()) failure = view_.ReadRows(request_, &page_, [this] { return ReadRow(); });
    page_.view_ms = view_.Close();
    return failure;
  }

 private:
  Failure Open() {
    Failure failure = view_.Connect(request_.config, CVRC_TABLE_CRL);
    for (size_t column = 0; failure.ok() && column < kColumns; ++column) {
      bool found = false;
      // Servers before 2019 do not have it.
      const bool needed = column != kPartition;
      failure = view_.AddColumn(kNames[column], needed, &found);
      if (found) columns_.push_back(static_cast<ColumnOf>(column));
    }
    if (failure.ok()) failure = view_.SelectColumns();
    if (!failure.ok()) return failure;
    const HRESULT result = view_.RestrictNumber(0, CVR_SEEK_GT, request_.after, CVR_SORT_ASCEND);
    if (FAILED(result)) return {result, "ICertView::SetRestriction"};
    return view_.Open();
  }

  Failure ReadRow() {
    CrlFacts facts;
    return view_.ReadValues([&](size_t at, HRESULT result, const Variant& value) -> Failure {
      const ColumnOf column = columns_[at];
      if (column == kRawCrl) return Keep(facts, result, value);
      if (FAILED(result) && result != kNoValue) return {result, TableView::kGetValue};
      TakeFact(column, value, &facts);
      return {};
    });
  }

  static void TakeFact(ColumnOf column, const Variant& value, CrlFacts* facts) {
    const std::optional<int32_t> number = NumberIn(value);
    if (column == kRowId) facts->id = number;
    if (column == kNameId) facts->name = number.value_or(0);
    if (column == kMinBase) facts->delta = number.value_or(0) != 0;
    if (column == kPartition) facts->partition = number.value_or(0);
    if (column == kThisPublish) facts->published = DateIn(value);
  }

  Failure Keep(const CrlFacts& facts, HRESULT der_result, const Variant& raw) {
    if (!facts.id.has_value()) return {kBadRow, "a row without a CRLRowId"};
    const int32_t last = page_.rows.empty() ? request_.after : page_.rows.back().id;
    if (*facts.id <= last) return {kBadRow, "rows out of order"};
    Record record = EmptyRecord(*facts.id);
    const SourceValue der = collect::ToSourceValue(raw.get());
    if (FAILED(der_result) && der_result != kNoValue) {
      record.AddProblem(u"ca.RawCRL", collect::Reason::kHResult,
                        static_cast<collect::HResult>(der_result));
    } else if (der.kind == Kind::kBytes && der.size > 0) {
      // As of the CA's version: the index of the certificate is in the low word.
      record.AddCrl(facts.name & 0xffff, facts.delta, ToValue(der, collect::PropertyType::kBinary),
                    facts.partition);
    }
    // Of the whole CRL: the record keeps only the beginning of a large one.
    view_.Take(der.size);
    const auto [offset, size] = Append(record, &page_.records);
    page_.rows.push_back({*facts.id, offset, size, facts.published});
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
  std::vector<ColumnOf> columns_;  ///< of the view
  TableView view_;
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
  record->clear();
  Append(made, record);
  return {};
}

}  // namespace

Failure ReadCrlPage(const CrlPageRequest& request, CrlPage* page) {
  return InApartment([&] { return CrlReader(request, page).Run(); });
}

Failure ReadCrlPartitions(const std::wstring& config, CrlPartitions* partitions) {
  return InApartment([&] { return FindPartitions(config, partitions); });
}

Failure ReadPartitionedCrl(const std::wstring& config, const PartitionedCrl& which,
                           std::vector<uint8_t>* record) {
  return InApartment([&] { return FindCrl(config, which, record); });
}

}  // namespace ca_database
