// The properties that a CA offers to an exit module, written down from Microsoft's documentation and
// not from the tables of the product:
// - "ICertServerExit::GetRequestProperty method (certif.h)": properties of a request
// - "ICertServerExit::GetCertificateProperty method (certif.h)": of a certificate, and of the CA
// - "Name Properties" (Win32, Certificate Services): parts of a name, of request and certificate alike
// - what those pages leave out: the columns that `certutil -schema` prints of the tables Request and
//   Certificate, and the names wszPROP... of the Windows SDK's certsrv.h
// Left out on purpose: RawArchivedKey and ArchivedKey, which are key material; CertificateType,
// RawSMIMECapabilities and NameType, which certsrv.h calls obsolete; EventLog..., DCName and SEAuditId,
// which are there to be set by a policy module; LocalizedTimePeriodUnits, which are words of a language.

const nameProperties = [
  "CommonName",
  "Country",
  "DeviceSerialNumber",
  "DomainComponent",
  "EMail",
  "GivenName",
  "Initials",
  "Locality",
  "Organization",
  "OrgUnit",
  "State",
  "StreetAddress",
  "SurName",
  "Title",
  "UnstructuredAddress",
  "UnstructuredName",
  "DistinguishedName",
  "RawName",
];

/** Of a request, by GetRequestProperty. */
export const requestProperties: readonly string[] = [
  // GetRequestProperty's page.
  "Disposition",
  "DispositionMessage",
  "RawCACertificate",
  "RawRequest",
  "RequestAttributes",
  "RequesterName",
  "RequestID",
  "RequestType",
  "ResolvedWhen",
  "StatusCode",
  "SubmittedWhen",
  ...nameProperties,
  // certutil -schema.
  "KeyRecoveryHashes",
  "RawOldCertificate",
  "RequestFlags",
  "RevokedWhen",
  "RevokedEffectiveWhen",
  "RevokedReason",
  "CallerName",
  "SignerPolicies",
  "SignerApplicationPolicies",
  "Officer",
  "AttestationChallenge",
  "EndorsementKeyHash",
  "EndorsementCertificateHash",
  "RawPrecertificate",
  // certsrv.h, newest servers.
  "RequesterNameFromOldCertificate",
  "CRLPartitionIndex",
  "LinterCertificate",
];

/** Of a certificate, by GetCertificateProperty. */
export const certificateProperties: readonly string[] = [
  // GetCertificateProperty's page.
  "NotBefore",
  "NotAfter",
  "PublicKeyAlgorithm",
  "RawCertificate",
  "RawPublicKey",
  "RawPublicKeyAlgorithmParameters",
  "RequestID",
  "SerialNumber",
  ...nameProperties,
  // certutil -schema.
  "CertificateHash",
  "CertificateTemplate",
  "EnrollmentFlags",
  "GeneralFlags",
  "PrivatekeyFlags",
  "IssuerNameID",
  "SubjectKeyIdentifier",
  "PublicKeyLength",
  "PublishExpiredCertInCRL",
  "UPN",
];

/** Of the CA, for what is known of a request only: "request context properties" of certsrv.h. */
export const caPropertiesOfRequest: readonly string[] = [
  "RequesterCAAccess",
  "UserDN",
  "KeyArchived",
];

/** Of the CA, and of one of its certificates when an index is appended (`CRLState.0`). */
export const indexedCaProperties: readonly string[] = [
  "CertState",
  "CertSuffix",
  "CRLIndex",
  "CRLState",
  "CRLSuffix",
  "RawCACertificate",
];

/** Of the CA as a whole. */
export const caProperties: readonly string[] = [
  // GetCertificateProperty's page.
  "CAType",
  "CertCount",
  "fUseDS",
  "MachineDNSName",
  "ModuleRegistryLocation",
  "SanitizedCAName",
  "SanitizedShortName",
  ...indexedCaProperties,
  // certsrv.h.
  "fDeltaCRLsDisabled",
  "fServerUpgraded",
  "ConfigDN",
  "DomainDN",
  "LogLevel",
  "SessionCount",
  "TemplateChangeSequenceNumber",
  "VolatileMode",
  "SEAuditFilter",
];

/** By index only, and only of certificates with CRLs of their own (CRLState, CA_DISP_VALID). */
export const crlProperties: readonly string[] = ["RawCRL", "RawDeltaCRL"];

// Which event has which of them is said in docs/reference/record-format.md, "What is asked for".

/** What every record says about the CA. */
export const caIdentity: readonly string[] = [
  "RawCACertificate",
  "SanitizedCAName",
  "MachineDNSName",
  "CAType",
];
