/** Bits of a number of the CA, and their words in an event. */
export type Flags = readonly (readonly [bit: number, word: string])[];

/**
 * What the CA found about a request, CR_FLG_* of certsrv.h; 0x200 to 0x4000 are only in the header of Windows SDK
 * 10.0. [MS-CSRA] describes the first ones.
 */
export const requestFlags: Flags = [
  [0x1, "forceTeletex"],
  [0x2, "renewal"],
  [0x4, "forceUtf8"],
  [0x8, "caExchangeCertificate"],
  [0x10, "enrollOnBehalfOf"],
  [0x20, "subjectUnmodified"],
  [0x40, "validEncryptedKeyHash"],
  [0x80, "caCrossCertificate"],
  [0x100, "enforceUtf8"],
  [0x200, "definedCaCertificate"],
  [0x400, "challengePending"],
  [0x800, "challengeSatisfied"],
  [0x1000, "trustOnUse"],
  [0x2000, "trustEndorsementCertificate"],
  [0x4000, "trustEndorsementKey"],
  [0x8000_0000, "publishError"],
];

/**
 * Flags of a request type, CR_IN_* of certcli.h from bit 16; bits 8 to 15 are the format, 0 to 7 the encoding.
 * The lowest two are a number, the way the request came: HTTP is both of them.
 */
export const requestTypeFlags: Flags = [
  [0x3_0000, "http"],
  [0x1_0000, "scep"],
  [0x2_0000, "rpc"],
  [0x4_0000, "fullResponse"],
  [0x8_0000, "crls"],
  [0x10_0000, "machine"],
  [0x20_0000, "robo"],
  [0x40_0000, "clientIdNone"],
  [0x80_0000, "connectOnly"],
  [0x100_0000, "returnChallenge"],
  [0x200_0000, "scepPost"],
  [0x400_0000, "certificateTransparency"],
  [0x800_0000, "preSign"],
];

/** Enrolment flags of a template, CT_FLAG_* of msPKI-Enrollment-Flag ([MS-CRTD] 2.26); 0x80 and 0x200 of certca.h. */
export const enrollmentFlags: Flags = [
  [0x1, "includeSymmetricAlgorithms"],
  [0x2, "pendAllRequests"],
  [0x4, "publishToKraContainer"],
  [0x8, "publishToDs"],
  [0x10, "autoEnrollmentCheckUserDsCertificate"],
  [0x20, "autoEnrollment"],
  [0x40, "previousApprovalValidateReenrollment"],
  [0x80, "domainAuthenticationNotRequired"],
  [0x100, "userInteractionRequired"],
  [0x200, "addTemplateName"],
  [0x400, "removeInvalidCertificateFromPersonalStore"],
  [0x800, "allowEnrollOnBehalfOf"],
  [0x1000, "addOcspNoCheck"],
  [0x2000, "reuseKeyOnFullSmartCard"],
  [0x4000, "noRevocationInfoInCertificates"],
  [0x8000, "includeBasicConstraintsForEndEntities"],
  [0x1_0000, "allowPreviousApprovalKeyBasedRenewal"],
  [0x2_0000, "issuancePoliciesFromRequest"],
  [0x4_0000, "skipAutoRenewal"],
  [0x8_0000, "noSecurityExtension"],
];

/**
 * General flags of a template, CT_FLAG_* of its attribute `flags` ([MS-CRTD] 2.4). 0x1, 0x4, 0x100, 0x400, 0x40000
 * and 0x80000 are not in that table; `certutil -v -dstemplate` names them.
 */
export const generalFlags: Flags = [
  [0x1, "enrolleeSuppliesSubject"],
  [0x2, "addEmail"],
  [0x4, "addObjectGuid"],
  [0x8, "publishToDs"],
  [0x10, "exportableKey"],
  [0x20, "autoEnrollment"],
  [0x40, "machineType"],
  [0x80, "isCa"],
  [0x100, "addDirectoryPath"],
  [0x200, "addTemplateName"],
  [0x400, "addSubjectDirectoryPath"],
  [0x800, "isCrossCa"],
  [0x1000, "doNotPersistInDatabase"],
  [0x1_0000, "isDefault"],
  [0x2_0000, "isModified"],
  [0x4_0000, "isDeleted"],
  [0x8_0000, "policyMismatch"],
];

/** Origin of an extension, bits 16 to 19 of its flags: EXTENSION_ORIGIN_* of certsrv.h. */
export const extensionOrigins = {
  1: "request",
  2: "policy",
  3: "admin",
  4: "server",
  5: "renewalCertificate",
  6: "importedCertificate",
  7: "pkcs7",
  8: "cmc",
  9: "caCertificate",
} as const;

/** The words of the bits that are set; the bits without a word follow as one hex number. */
export function flagWords(flags: Flags, value: number): string[] {
  const words: string[] = [];
  let rest = value >>> 0;
  for (const [bit, word] of flags) {
    if ((rest & bit) >>> 0 === bit) {
      words.push(word);
      rest = (rest & ~bit) >>> 0;
    }
  }
  if (rest !== 0) words.push(`0x${rest.toString(16)}`);
  return words;
}
