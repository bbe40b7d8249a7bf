#include "collect/property_table.h"

#include "collect/exit_event.h"

namespace collect {
namespace {

using enum PropertyType;

constexpr Topics kCaDetails = kAboutCrl | kAboutStart;
constexpr Topics kAnything = kAboutRequest | kAboutCrl | kAboutStart | kAboutStop;

constexpr Property Request(std::u16string_view name, PropertyType type, Topics essential = 0) {
  return {name, type, Record::Group::kRequest, Naming::kRequestColumn, kAboutRequest, essential};
}
/// Of servers after 2012 R2, as far as is known; an older one may answer with an error each time.
constexpr Property Newer(Property property) {
  property.newer = true;
  return property;
}
constexpr Property SecretRequest(std::u16string_view name, PropertyType type, Secrecy secrecy) {
  Property property = Request(name, type);
  property.secrecy = secrecy;
  return property;
}
constexpr Property RequestName(std::u16string_view name) {
  return {name, kString, Record::Group::kRequest, Naming::kSubjectPart, kAboutRequest};
}
constexpr Property Certificate(std::u16string_view name, PropertyType type) {
  return {name, type, Record::Group::kCertificate, Naming::kPlain, kAboutRequest};
}
constexpr Property Ca(std::u16string_view name, PropertyType type, Topics topics,
                      Topics essential = 0) {
  return {name, type, Record::Group::kCa, Naming::kPlain, topics, essential};
}
constexpr Property PerCaCertificate(std::u16string_view name, PropertyType type,
                                    Topics essential = 0) {
  return {name, type, Record::Group::kCa, Naming::kPlain, kCaDetails, essential, true};
}

// The most useful ones come first, because the budget cuts off the end. Left out on purpose:
// RawArchivedKey and ArchivedKey (key material), the policy module's own settable properties, and
// names that current servers call obsolete (CertificateType, RawSMIMECapabilities, NameType), and
// LocalizedTimePeriodUnits: the words for "days" and "weeks" in the language of the server.
constexpr Property kProperties[] = {
    Request(u"RequestID", kLong, kAboutRequest),
    Request(u"Disposition", kLong, kAboutRequest),
    Request(u"RevokedReason", kLong, kAboutRevocation),
    Ca(u"CertCount", kLong, kCaDetails, kAboutCrl),
    Request(u"StatusCode", kLong),
    Request(u"DispositionMessage", kString),
    Request(u"RequesterName", kString),
    Request(u"CallerName", kString),
    Request(u"SubmittedWhen", kDate),
    Request(u"ResolvedWhen", kDate),
    Request(u"RevokedWhen", kDate),
    Request(u"RevokedEffectiveWhen", kDate),
    Request(u"RequestType", kLong),
    Request(u"RequestFlags", kLong),
    Certificate(u"RawCertificate", kBinary),
    Ca(u"RawCACertificate", kBinary, kAnything, kAboutCrl),
    Ca(u"SanitizedCAName", kString, kAnything),
    Ca(u"MachineDNSName", kString, kAnything),
    Ca(u"CAType", kLong, kAnything),
    Certificate(u"RequestID", kLong),
    Certificate(u"SerialNumber", kString),
    Certificate(u"CertificateHash", kString),
    Certificate(u"CertificateTemplate", kString),
    Certificate(u"NotBefore", kDate),
    Certificate(u"NotAfter", kDate),
    Certificate(u"DistinguishedName", kString),
    Certificate(u"UPN", kString),
    SecretRequest(u"RequestAttributes", kString, Secrecy::kLines),
    Request(u"RawRequest", kBinary),
    Request(u"DistinguishedName", kString),
    Certificate(u"SubjectKeyIdentifier", kString),
    Certificate(u"PublicKeyAlgorithm", kString),
    Certificate(u"PublicKeyLength", kLong),
    Certificate(u"EnrollmentFlags", kLong),
    Certificate(u"GeneralFlags", kLong),
    Certificate(u"PrivatekeyFlags", kLong),
    Certificate(u"IssuerNameID", kLong),
    Certificate(u"RawPublicKey", kBinary),
    Certificate(u"RawPublicKeyAlgorithmParameters", kBinary),
    Newer(Certificate(u"PublishExpiredCertInCRL", kLong)),
    Certificate(u"RawName", kBinary),
    Request(u"RawName", kBinary),
    Request(u"RawOldCertificate", kBinary),
    Request(u"KeyRecoveryHashes", kString),
    Request(u"SignerPolicies", kString),
    Request(u"SignerApplicationPolicies", kString),
    Request(u"Officer", kLong),
    Newer(SecretRequest(u"AttestationChallenge", kBinary, Secrecy::kDigest)),
    Newer(Request(u"EndorsementKeyHash", kString)),
    Newer(Request(u"EndorsementCertificateHash", kString)),
    Newer(Request(u"RawPrecertificate", kBinary)),
    Newer(Request(u"RequesterNameFromOldCertificate", kString)),
    Newer(Request(u"CRLPartitionIndex", kLong)),
    Newer(Request(u"LinterCertificate", kBinary)),
    Request(u"RawCACertificate", kBinary),
    Ca(u"RequesterCAAccess", kLong, kAboutRequest),
    Ca(u"UserDN", kString, kAboutRequest),
    Ca(u"KeyArchived", kLong, kAboutRequest),
    RequestName(u"CommonName"),
    RequestName(u"Country"),
    RequestName(u"DeviceSerialNumber"),
    RequestName(u"DomainComponent"),
    RequestName(u"EMail"),
    RequestName(u"GivenName"),
    RequestName(u"Initials"),
    RequestName(u"Locality"),
    RequestName(u"Organization"),
    RequestName(u"OrgUnit"),
    RequestName(u"State"),
    RequestName(u"StreetAddress"),
    RequestName(u"SurName"),
    RequestName(u"Title"),
    RequestName(u"UnstructuredAddress"),
    RequestName(u"UnstructuredName"),
    Certificate(u"CommonName", kString),
    Certificate(u"Country", kString),
    Certificate(u"DeviceSerialNumber", kString),
    Certificate(u"DomainComponent", kString),
    Certificate(u"EMail", kString),
    Certificate(u"GivenName", kString),
    Certificate(u"Initials", kString),
    Certificate(u"Locality", kString),
    Certificate(u"Organization", kString),
    Certificate(u"OrgUnit", kString),
    Certificate(u"State", kString),
    Certificate(u"StreetAddress", kString),
    Certificate(u"SurName", kString),
    Certificate(u"Title", kString),
    Certificate(u"UnstructuredAddress", kString),
    Certificate(u"UnstructuredName", kString),
    Ca(u"SanitizedShortName", kString, kCaDetails),
    Ca(u"ModuleRegistryLocation", kString, kCaDetails),
    Ca(u"fUseDS", kLong, kCaDetails),
    Ca(u"fDeltaCRLsDisabled", kLong, kCaDetails),
    Newer(Ca(u"fServerUpgraded", kLong, kCaDetails)),
    Ca(u"ConfigDN", kString, kCaDetails),
    Ca(u"DomainDN", kString, kCaDetails),
    Ca(u"LogLevel", kLong, kCaDetails),
    Ca(u"SessionCount", kLong, kCaDetails),
    Newer(Ca(u"TemplateChangeSequenceNumber", kLong, kCaDetails)),
    Newer(Ca(u"VolatileMode", kLong, kCaDetails)),
    Newer(Ca(u"SEAuditFilter", kLong, kCaDetails)),
    Ca(u"CertState", kLong, kCaDetails),
    Ca(u"CertSuffix", kString, kCaDetails),
    Ca(u"CRLIndex", kLong, kCaDetails),
    Ca(u"CRLState", kLong, kCaDetails),
    Ca(u"CRLSuffix", kString, kCaDetails),
    PerCaCertificate(u"CertState", kLong),
    PerCaCertificate(u"CertSuffix", kString),
    PerCaCertificate(u"CRLIndex", kLong),
    PerCaCertificate(u"CRLState", kLong, kAboutCrl),
    PerCaCertificate(u"CRLSuffix", kString),
    PerCaCertificate(u"RawCACertificate", kBinary),
};

}  // namespace

Topics TopicsOf(int32_t event) {
  switch (event) {
    case kCertificateIssued:
    case kRequestPending:
    case kRequestDenied:
    case kRequestRetrieved:
    case kCertificateImported:
      return kAboutRequest;
    case kCertificateRevoked:
      return kAboutRequest | kAboutRevocation;
    case kCrlIssued:
      return kAboutCrl;
    case kShutdown:
      return kAboutStop;
    case kStarted:
      return kAboutStart;
    default:
      return kAboutRequest | kAboutStart;
  }
}

std::span<const Property> Properties() { return kProperties; }

}  // namespace collect
