import {
  caStates,
  caTypes,
  dispositionWords,
  type Enumeration,
  revocationReasons,
} from "./words/enumerations.ts";
import { enrollmentFlags, type Flags, generalFlags, requestFlags } from "./words/flags.ts";

/**
 * How a value is shown in an event under `key`:
 * - `binary`: base64;
 * - `digest`: length and SHA-256 only, because it is or may hold a secret;
 * - `attributes`: text with a `name:value` in each line, without the values of secrets;
 * - `hresult`: hex, and the symbol under `<key>Symbol`;
 * - `enumeration`, `flags`, `requestType`: words, and the number under `<key>Code`.
 */
export type PropertyType =
  | "integer"
  | "text"
  | "date"
  | "binary"
  | "digest"
  | "attributes"
  | "hresult"
  | "enumeration"
  | "flags"
  | "requestType";

/** How a property of the CA is shown in an event. */
export interface Property {
  /** Key in the event. */
  readonly key: string;
  readonly type: PropertyType;
  /** Words of an `enumeration`. Default none. */
  readonly words?: Enumeration;
  /** Words of `flags`. Default none. */
  readonly flags?: Flags;
  /**
   * In which levels of detail the property is shown: `difference`, in `standard` only where it says something that
   * the rest of the event does not; `start`, in `standard` only in events that tell about the CA's certificate.
   * Default: in both.
   */
  readonly detail?: "difference" | "start";
}

/** Properties by the CA's own names. */
export type PropertyTable = Readonly<Record<string, Property>>;

/** Name parts, which request row and certificate row both have. */
export const nameProperties = {
  DistinguishedName: { key: "distinguishedName", type: "text" },
  RawName: { key: "rawName", type: "binary" },
  CommonName: { key: "commonName", type: "text" },
  Country: { key: "country", type: "text" },
  DeviceSerialNumber: { key: "deviceSerialNumber", type: "text" },
  DomainComponent: { key: "domainComponent", type: "text" },
  EMail: { key: "email", type: "text" },
  GivenName: { key: "givenName", type: "text" },
  Initials: { key: "initials", type: "text" },
  Locality: { key: "locality", type: "text" },
  Organization: { key: "organization", type: "text" },
  OrgUnit: { key: "orgUnit", type: "text" },
  State: { key: "state", type: "text" },
  StreetAddress: { key: "streetAddress", type: "text" },
  SurName: { key: "surName", type: "text" },
  Title: { key: "title", type: "text" },
  UnstructuredAddress: { key: "unstructuredAddress", type: "text" },
  UnstructuredName: { key: "unstructuredName", type: "text" },
} as const satisfies PropertyTable;

const issuedNameProperties = {
  DistinguishedName: { ...nameProperties.DistinguishedName, detail: "difference" },
  RawName: { ...nameProperties.RawName, detail: "difference" },
  CommonName: { ...nameProperties.CommonName, detail: "difference" },
  Country: { ...nameProperties.Country, detail: "difference" },
  DeviceSerialNumber: { ...nameProperties.DeviceSerialNumber, detail: "difference" },
  DomainComponent: { ...nameProperties.DomainComponent, detail: "difference" },
  EMail: { ...nameProperties.EMail, detail: "difference" },
  GivenName: { ...nameProperties.GivenName, detail: "difference" },
  Initials: { ...nameProperties.Initials, detail: "difference" },
  Locality: { ...nameProperties.Locality, detail: "difference" },
  Organization: { ...nameProperties.Organization, detail: "difference" },
  OrgUnit: { ...nameProperties.OrgUnit, detail: "difference" },
  State: { ...nameProperties.State, detail: "difference" },
  StreetAddress: { ...nameProperties.StreetAddress, detail: "difference" },
  SurName: { ...nameProperties.SurName, detail: "difference" },
  Title: { ...nameProperties.Title, detail: "difference" },
  // The parsed subject has these two in hex only.
  UnstructuredAddress: nameProperties.UnstructuredAddress,
  UnstructuredName: nameProperties.UnstructuredName,
} as const satisfies PropertyTable;

/** Properties of the request row (GetRequestProperty), without those that `revocation` shows. */
export const requestProperties = {
  RequestID: { key: "requestId", type: "integer" },
  Disposition: { key: "disposition", type: "enumeration", words: dispositionWords },
  DispositionMessage: { key: "dispositionMessage", type: "text" },
  StatusCode: { key: "statusCode", type: "hresult" },
  SubmittedWhen: { key: "submittedWhen", type: "date" },
  ResolvedWhen: { key: "resolvedWhen", type: "date" },
  RequesterName: { key: "requesterName", type: "text" },
  CallerName: { key: "callerName", type: "text" },
  RequestType: { key: "requestType", type: "requestType" },
  RequestFlags: { key: "requestFlags", type: "flags", flags: requestFlags },
  RequestAttributes: { key: "requestAttributes", type: "attributes", detail: "difference" },
  RawRequest: { key: "rawRequest", type: "digest" },
  RawOldCertificate: { key: "rawOldCertificate", type: "binary" },
  RawPrecertificate: { key: "rawPrecertificate", type: "binary" },
  LinterCertificate: { key: "linterCertificate", type: "binary" },
  KeyRecoveryHashes: { key: "keyRecoveryHashes", type: "text" },
  SignerPolicies: { key: "signerPolicies", type: "text" },
  SignerApplicationPolicies: { key: "signerApplicationPolicies", type: "text" },
  Officer: { key: "officer", type: "integer" },
  AttestationChallenge: { key: "attestationChallenge", type: "digest" },
  EndorsementKeyHash: { key: "endorsementKeyHash", type: "text" },
  EndorsementCertificateHash: { key: "endorsementCertificateHash", type: "text" },
  RequesterNameFromOldCertificate: { key: "requesterNameFromOldCertificate", type: "text" },
  CRLPartitionIndex: { key: "crlPartitionIndex", type: "integer" },
  RawCACertificate: { key: "rawCaCertificate", type: "binary", detail: "difference" },
  ...nameProperties,
  RawName: { ...nameProperties.RawName, detail: "difference" },
} as const satisfies PropertyTable;

/** Properties of the request row that describe a revocation. */
export const revocationProperties = {
  RevokedReason: { key: "reason", type: "enumeration", words: revocationReasons },
  RevokedWhen: { key: "revokedWhen", type: "date" },
  RevokedEffectiveWhen: { key: "effectiveWhen", type: "date" },
} as const satisfies PropertyTable;

/** Properties of the certificate row (GetCertificateProperty), without RawCertificate. */
export const certificateProperties = {
  RequestID: { key: "requestId", type: "integer", detail: "difference" },
  CertificateHash: { key: "certificateHash", type: "text", detail: "difference" },
  CertificateTemplate: { key: "certificateTemplate", type: "text", detail: "difference" },
  EnrollmentFlags: { key: "enrollmentFlags", type: "flags", flags: enrollmentFlags },
  GeneralFlags: { key: "generalFlags", type: "flags", flags: generalFlags },
  // Besides flags it has version numbers in groups of four bits, so words would mislead.
  PrivatekeyFlags: { key: "privateKeyFlags", type: "integer" },
  SerialNumber: { key: "serialNumber", type: "text", detail: "difference" },
  IssuerNameID: { key: "issuerNameId", type: "integer" },
  NotBefore: { key: "notBefore", type: "date", detail: "difference" },
  NotAfter: { key: "notAfter", type: "date", detail: "difference" },
  SubjectKeyIdentifier: { key: "subjectKeyIdentifier", type: "text", detail: "difference" },
  RawPublicKey: { key: "rawPublicKey", type: "binary", detail: "difference" },
  PublicKeyLength: { key: "publicKeyLength", type: "integer", detail: "difference" },
  PublicKeyAlgorithm: { key: "publicKeyAlgorithm", type: "text", detail: "difference" },
  RawPublicKeyAlgorithmParameters: {
    key: "rawPublicKeyAlgorithmParameters",
    type: "binary",
    detail: "difference",
  },
  PublishExpiredCertInCRL: { key: "publishExpiredCertInCrl", type: "integer" },
  UPN: { key: "upn", type: "text", detail: "difference" },
  ...issuedNameProperties,
} as const satisfies PropertyTable;

/** Properties of one certificate of the CA, whose names end with its index (`CertState.0`). */
export const caCertificateProperties = {
  CertState: { key: "certState", type: "enumeration", words: caStates },
  CertSuffix: { key: "certSuffix", type: "text" },
  CRLIndex: { key: "crlIndex", type: "integer" },
  CRLState: { key: "crlState", type: "enumeration", words: caStates },
  CRLSuffix: { key: "crlSuffix", type: "text" },
  RawCACertificate: { key: "rawCaCertificate", type: "binary", detail: "start" },
} as const satisfies PropertyTable;

/** Properties of the CA; those of a certificate, without an index, are of its current certificate. */
export const caProperties = {
  Name: { key: "name", type: "text" },
  CAType: { key: "caType", type: "enumeration", words: caTypes, detail: "start" },
  SanitizedCAName: { key: "sanitizedCaName", type: "text", detail: "difference" },
  SanitizedShortName: { key: "sanitizedShortName", type: "text" },
  MachineDNSName: { key: "machineDnsName", type: "text" },
  ModuleRegistryLocation: { key: "moduleRegistryLocation", type: "text" },
  fUseDS: { key: "useDs", type: "integer" },
  fDeltaCRLsDisabled: { key: "deltaCrlsDisabled", type: "integer" },
  fServerUpgraded: { key: "serverUpgraded", type: "integer" },
  ConfigDN: { key: "configDn", type: "text" },
  DomainDN: { key: "domainDn", type: "text" },
  LogLevel: { key: "logLevel", type: "integer" },
  SessionCount: { key: "sessionCount", type: "integer" },
  TemplateChangeSequenceNumber: { key: "templateChangeSequenceNumber", type: "integer" },
  VolatileMode: { key: "volatileMode", type: "integer" },
  CertCount: { key: "certCount", type: "integer" },
  ...caCertificateProperties,
  RequesterCAAccess: { key: "requesterCaAccess", type: "integer" },
  UserDN: { key: "userDn", type: "text" },
  KeyArchived: { key: "keyArchived", type: "integer" },
  SEAuditFilter: { key: "seAuditFilter", type: "integer" },
} as const satisfies PropertyTable;
