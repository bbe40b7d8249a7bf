#include "database/columns.h"

#include <certsrv.h>

#include <string_view>

namespace standin {
namespace {

constexpr DatabaseColumn kCrlColumns[] = {
    {L"CRLRowId", PROPTYPE_LONG, 4, true},
    {L"CRLNumber", PROPTYPE_LONG, 4, true},
    {L"CRLMinBase", PROPTYPE_LONG, 4, false},
    {L"CRLNameId", PROPTYPE_LONG, 4, false},
    {L"CRLCount", PROPTYPE_LONG, 4, false},
    {L"CRLThisUpdate", PROPTYPE_DATE, 8, false},
    {L"CRLNextUpdate", PROPTYPE_DATE, 8, true},
    {L"CRLThisPublish", PROPTYPE_DATE, 8, false},
    {L"CRLNextPublish", PROPTYPE_DATE, 8, true},
    {L"CRLEffective", PROPTYPE_DATE, 8, false},
    {L"CRLPropagationComplete", PROPTYPE_DATE, 8, true},
    {L"CRLLastPublish", PROPTYPE_DATE, 8, true},
    {L"CRLPublishAttempts", PROPTYPE_LONG, 4, true},
    {L"CRLPublishFlags", PROPTYPE_LONG, 4, false},
    {L"CRLPublishStatusCode", PROPTYPE_LONG, 4, true},
    {L"CRLPublishError", PROPTYPE_STRING, 8192, false},
    {L"CRLRawCRL", PROPTYPE_BINARY, 536870912, false},
    {L"CRLPartitionIndex", PROPTYPE_LONG, 4, false},
};

constexpr DatabaseColumn kColumns[] = {
    {L"Request.RequestID", PROPTYPE_LONG, 4, true},
    {L"Request.RawRequest", PROPTYPE_BINARY, 65536, false},
    {L"Request.RawArchivedKey", PROPTYPE_BINARY, 65536, false},
    {L"Request.KeyRecoveryHashes", PROPTYPE_STRING, 8192, false},
    {L"Request.RawOldCertificate", PROPTYPE_BINARY, 16384, false},
    {L"Request.RequestAttributes", PROPTYPE_STRING, 32768, false},
    {L"Request.RequestType", PROPTYPE_LONG, 4, false},
    {L"Request.RequestFlags", PROPTYPE_LONG, 4, false},
    {L"Request.StatusCode", PROPTYPE_LONG, 4, false},
    {L"Request.Disposition", PROPTYPE_LONG, 4, true},
    {L"Request.DispositionMessage", PROPTYPE_STRING, 8192, false},
    {L"Request.SubmittedWhen", PROPTYPE_DATE, 8, true},
    {L"Request.ResolvedWhen", PROPTYPE_DATE, 8, true},
    {L"Request.RevokedWhen", PROPTYPE_DATE, 8, false},
    {L"Request.RevokedEffectiveWhen", PROPTYPE_DATE, 8, true},
    {L"Request.RevokedReason", PROPTYPE_LONG, 4, false},
    {L"Request.RequesterName", PROPTYPE_STRING, 2048, true},
    {L"Request.CallerName", PROPTYPE_STRING, 2048, true},
    {L"Request.SignerPolicies", PROPTYPE_STRING, 8192, false},
    {L"Request.SignerApplicationPolicies", PROPTYPE_STRING, 8192, false},
    {L"Request.Officer", PROPTYPE_LONG, 4, false},
    {L"Request.DistinguishedName", PROPTYPE_STRING, 8192, false},
    {L"Request.RawName", PROPTYPE_BINARY, 4096, false},
    {L"Request.Country", PROPTYPE_STRING, 8192, false},
    {L"Request.Organization", PROPTYPE_STRING, 8192, false},
    {L"Request.OrgUnit", PROPTYPE_STRING, 8192, false},
    {L"Request.CommonName", PROPTYPE_STRING, 8192, false},
    {L"Request.Locality", PROPTYPE_STRING, 8192, false},
    {L"Request.State", PROPTYPE_STRING, 8192, false},
    {L"Request.Title", PROPTYPE_STRING, 8192, false},
    {L"Request.GivenName", PROPTYPE_STRING, 8192, false},
    {L"Request.Initials", PROPTYPE_STRING, 8192, false},
    {L"Request.SurName", PROPTYPE_STRING, 8192, false},
    {L"Request.DomainComponent", PROPTYPE_STRING, 8192, false},
    {L"Request.EMail", PROPTYPE_STRING, 8192, false},
    {L"Request.StreetAddress", PROPTYPE_STRING, 8192, false},
    {L"Request.UnstructuredName", PROPTYPE_STRING, 8192, false},
    {L"Request.UnstructuredAddress", PROPTYPE_STRING, 8192, false},
    {L"Request.DeviceSerialNumber", PROPTYPE_STRING, 8192, false},
    {L"Request.AttestationChallenge", PROPTYPE_BINARY, 4096, false},
    {L"Request.EndorsementKeyHash", PROPTYPE_STRING, 144, true},
    {L"Request.EndorsementCertificateHash", PROPTYPE_STRING, 144, true},
    {L"Request.RawPrecertificate", PROPTYPE_BINARY, 16384, false},
    {L"Request.CRLPartitionIndex", PROPTYPE_LONG, 4, false},
    {L"Request.LinterCertificate", PROPTYPE_BINARY, 16384, false},
    {L"RequestID", PROPTYPE_LONG, 4, true},
    {L"RawCertificate", PROPTYPE_BINARY, 16384, false},
    {L"CertificateHash", PROPTYPE_STRING, 128, true},
    {L"CertificateTemplate", PROPTYPE_STRING, 254, true},
    {L"EnrollmentFlags", PROPTYPE_LONG, 4, false},
    {L"GeneralFlags", PROPTYPE_LONG, 4, false},
    {L"PrivatekeyFlags", PROPTYPE_LONG, 4, false},
    {L"SerialNumber", PROPTYPE_STRING, 128, true},
    {L"IssuerNameID", PROPTYPE_LONG, 4, false},
    {L"NotBefore", PROPTYPE_DATE, 8, false},
    {L"NotAfter", PROPTYPE_DATE, 8, true},
    {L"SubjectKeyIdentifier", PROPTYPE_STRING, 128, true},
    {L"RawPublicKey", PROPTYPE_BINARY, 4096, false},
    {L"PublicKeyLength", PROPTYPE_LONG, 4, false},
    {L"PublicKeyAlgorithm", PROPTYPE_STRING, 254, false},
    {L"RawPublicKeyAlgorithmParameters", PROPTYPE_BINARY, 4096, false},
    {L"PublishExpiredCertInCRL", PROPTYPE_LONG, 4, false},
    {L"UPN", PROPTYPE_STRING, 2048, true},
    {L"DistinguishedName", PROPTYPE_STRING, 8192, false},
    {L"RawName", PROPTYPE_BINARY, 4096, false},
    {L"Country", PROPTYPE_STRING, 8192, false},
    {L"Organization", PROPTYPE_STRING, 8192, false},
    {L"OrgUnit", PROPTYPE_STRING, 8192, false},
    {L"CommonName", PROPTYPE_STRING, 8192, true},
    {L"Locality", PROPTYPE_STRING, 8192, false},
    {L"State", PROPTYPE_STRING, 8192, false},
    {L"Title", PROPTYPE_STRING, 8192, false},
    {L"GivenName", PROPTYPE_STRING, 8192, false},
    {L"Initials", PROPTYPE_STRING, 8192, false},
    {L"SurName", PROPTYPE_STRING, 8192, false},
    {L"DomainComponent", PROPTYPE_STRING, 8192, false},
    {L"EMail", PROPTYPE_STRING, 8192, false},
    {L"StreetAddress", PROPTYPE_STRING, 8192, false},
    {L"UnstructuredName", PROPTYPE_STRING, 8192, false},
    {L"UnstructuredAddress", PROPTYPE_STRING, 8192, false},
    {L"DeviceSerialNumber", PROPTYPE_STRING, 8192, false},
};

}  // namespace

std::span<const DatabaseColumn> DatabaseColumns(DatabaseTable table) {
  if (table == DatabaseTable::kCrls) return kCrlColumns;
  return kColumns;
}

bool IsKey(const DatabaseColumn& column) {
  const std::wstring_view name = column.name;
  return name == L"RequestID" || name == L"Request.RequestID" || name == L"CRLRowId";
}

}  // namespace standin
