/** A number of the CA with its words; other numbers have no word. */
export type Enumeration = Readonly<Record<number, string>>;

/** DB_DISP_*: state of a row of the request table. */
export const dispositions = {
  8: "active",
  9: "pending",
  12: "foreign",
  15: "caCertificate",
  16: "caCertificateChain",
  17: "kraCertificate",
  20: "issued",
  21: "revoked",
  30: "failed",
  31: "denied",
} as const;

/** CRL reasons of RFC 5280 5.3.1; -1 is what a CA leaves behind after a release from hold. */
export const revocationReasons = {
  [-1]: "releasedFromHold",
  0: "unspecified",
  1: "keyCompromise",
  2: "cACompromise",
  3: "affiliationChanged",
  4: "superseded",
  5: "cessationOfOperation",
  6: "certificateHold",
  8: "removeFromCRL",
} as const;

/** ENUM_CATYPES. */
export const caTypes = {
  0: "enterpriseRoot",
  1: "enterpriseSubordinate",
  3: "standaloneRoot",
  4: "standaloneSubordinate",
  5: "unknown",
} as const;

/** CA_DISP_*: state of a CA certificate or of its CRL. */
export const caStates = {
  0: "incomplete",
  1: "error",
  2: "revoked",
  3: "valid",
  4: "invalid",
  5: "underSubmission",
} as const;

/** Format part (bits 8 to 15) of CR_IN_*. */
export const requestFormats = {
  0: "any",
  1: "pkcs10",
  2: "keygen",
  3: "pkcs7",
  4: "cmc",
  5: "scep",
  6: "challengeResponse",
  7: "signedCertificateTimestampList",
} as const;
