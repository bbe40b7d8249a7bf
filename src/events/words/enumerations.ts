import { dispositions } from "../../exit/ca-codes.ts";

/** The words for the CA's numbers of one kind; a number that is not here is shown as `unknown`. */
export type Enumeration = Readonly<Record<number, string>>;

type WordsOf<T extends Readonly<Record<string, number>>> = {
  readonly [Word in keyof T as T[Word]]: Word;
};

/** The words of `dispositions`, DB_DISP_* of certsrv.h. */
export const dispositionWords = Object.fromEntries(
  Object.entries(dispositions).map(([word, code]) => [code, word]),
) as WordsOf<typeof dispositions>;

/** CRL reasons of RFC 5280 5.3.1; -1 is what a CA stores after a release from hold ([MS-CSRA] RevokeCertificate). */
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
  9: "privilegeWithdrawn",
  10: "aACompromise",
} as const;

/** Type of the CA, ENUM_CATYPES of certsrv.h, which has no 2. */
export const caTypes = {
  0: "enterpriseRoot",
  1: "enterpriseSubordinate",
  3: "standaloneRoot",
  4: "standaloneSubordinate",
  5: "unknown",
} as const;

/** State of a CA certificate or of its CRL, CA_DISP_* of certadm.h. */
export const caStates = {
  0: "incomplete",
  1: "error",
  2: "revoked",
  3: "valid",
  4: "invalid",
  5: "underSubmission",
} as const;

/** Format of a request, bits 8 to 15 of CR_IN_* of certcli.h. */
export const requestFormats = {
  0: "any",
  1: "pkcs10",
  2: "keygen",
  3: "pkcs7",
  4: "cmc",
  5: "challengeResponse",
  6: "signedCertificateTimestampList",
} as const;
