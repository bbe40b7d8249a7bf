#include "ca_database/columns.h"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace ca_database {
namespace {

using collect::Property;
using collect::Record;

constexpr std::u16string_view kScanned[] = {
    u"Request.RequestID",     u"Request.Disposition",
    u"Request.StatusCode",    u"Request.RequestFlags",
    u"Request.SubmittedWhen", u"Request.ResolvedWhen",
    u"Request.RevokedWhen",   u"Request.RevokedEffectiveWhen",
    u"Request.RevokedReason", u"CertificateHash",
    u"GeneralFlags"};

/// Properties of the exit module that come from elsewhere than the row.
constexpr std::u16string_view kNoColumns[] = {u"Request.RawCACertificate"};

std::u16string NameOf(const Property& property) {
  const std::u16string name(property.name);
  return property.group == Record::Group::kRequest ? u"Request." + name : name;
}

bool IsKey(const Property& property) {
  return property.group == Record::Group::kCertificate && property.name == u"RequestID";
}

template <size_t kCount>
bool IsOneOf(const std::u16string_view (&names)[kCount], const std::u16string& name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

bool IsIn(ColumnSet set, const Property& property, const std::u16string& name) {
  if (IsKey(property)) return true;
  return set == ColumnSet::kScan ? IsOneOf(kScanned, name) : !IsOneOf(kNoColumns, name);
}

}  // namespace

std::vector<Column> ColumnsOf(ColumnSet set) {
  std::vector<Column> columns;
  for (const Property& property : collect::Properties()) {
    if ((property.topics & collect::kAboutRequest) == 0) continue;
    if (property.group == Record::Group::kCa) continue;
    const std::u16string name = NameOf(property);
    if (!IsIn(set, property, name)) continue;
    const auto place = IsKey(property) ? columns.begin() : columns.end();
    columns.insert(place, {std::wstring(name.begin(), name.end()), &property});
  }
  return columns;
}

}  // namespace ca_database
