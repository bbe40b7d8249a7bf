import assert from "node:assert/strict";
import { test } from "node:test";
import {
  caStates,
  caTypes,
  dispositionWords,
  type Enumeration,
  requestFormats,
  revocationReasons,
} from "../../../src/events/words/enumerations.ts";
import {
  enrollmentFlags,
  extensionOrigins,
  type Flags,
  flagWords,
  generalFlags,
  requestFlags,
  requestTypeFlags,
} from "../../../src/events/words/flags.ts";
import { hresultSymbol } from "../../../src/events/words/hresult.ts";
import { exitEvents } from "../../../src/exit/ca-codes.ts";

/** The numbers of the specifications and of the Windows headers by their symbols there, without the prefix. */
type Symbols = Readonly<Record<string, number>>;

/** [MS-CSRA] and certsrv.h, CR_FLG_*. */
const requestFlagSymbols: Symbols = {
  FORCETELETEX: 0x1,
  RENEWAL: 0x2,
  FORCEUTF8: 0x4,
  CAXCHGCERT: 0x8,
  ENROLLONBEHALFOF: 0x10,
  SUBJECTUNMODIFIED: 0x20,
  VALIDENCRYPTEDKEYHASH: 0x40,
  CACROSSCERT: 0x80,
  ENFORCEUTF8: 0x100,
  DEFINEDCACERT: 0x200,
  CHALLENGEPENDING: 0x400,
  CHALLENGESATISFIED: 0x800,
  TRUSTONUSE: 0x1000,
  TRUSTEKCERT: 0x2000,
  TRUSTEKKEY: 0x4000,
  PUBLISHERROR: 0x8000_0000,
};

/** [MS-WCCE] 3.2.1.4.3.1.1 and certcli.h, CR_IN_*. */
const requestTypeSymbols: Symbols = {
  HTTP: 0x3_0000,
  SCEP: 0x1_0000,
  RPC: 0x2_0000,
  FULLRESPONSE: 0x4_0000,
  CRLS: 0x8_0000,
  MACHINE: 0x10_0000,
  ROBO: 0x20_0000,
  CLIENTIDNONE: 0x40_0000,
  CONNECTONLY: 0x80_0000,
  RETURNCHALLENGE: 0x100_0000,
  SCEPPOST: 0x200_0000,
  CERTIFICATETRANSPARENCY: 0x400_0000,
  PRESIGN: 0x800_0000,
};

/** [MS-CRTD] 2.26, CT_FLAG_*, and 0x80 and 0x200 of certca.h. */
const enrollmentSymbols: Symbols = {
  INCLUDE_SYMMETRIC_ALGORITHMS: 0x1,
  PEND_ALL_REQUESTS: 0x2,
  PUBLISH_TO_KRA_CONTAINER: 0x4,
  PUBLISH_TO_DS: 0x8,
  AUTO_ENROLLMENT_CHECK_USER_DS_CERTIFICATE: 0x10,
  AUTO_ENROLLMENT: 0x20,
  PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT: 0x40,
  DOMAIN_AUTHENTICATION_NOT_REQUIRED: 0x80,
  USER_INTERACTION_REQUIRED: 0x100,
  ADD_TEMPLATE_NAME: 0x200,
  REMOVE_INVALID_CERTIFICATE_FROM_PERSONAL_STORE: 0x400,
  ALLOW_ENROLL_ON_BEHALF_OF: 0x800,
  ADD_OCSP_NOCHECK: 0x1000,
  ENABLE_KEY_REUSE_ON_NT_TOKEN_KEYSET_STORAGE_FULL: 0x2000,
  NOREVOCATIONINFOINISSUEDCERTS: 0x4000,
  INCLUDE_BASIC_CONSTRAINTS_FOR_EE_CERTS: 0x8000,
  ALLOW_PREVIOUS_APPROVAL_KEYBASEDRENEWAL_VALIDATE_REENROLLMENT: 0x1_0000,
  ISSUANCE_POLICIES_FROM_REQUEST: 0x2_0000,
  SKIP_AUTO_RENEWAL: 0x4_0000,
  NO_SECURITY_EXTENSION: 0x8_0000,
};

/** [MS-CRTD] 2.4, CT_FLAG_*, and the older ones that `certutil -v -dstemplate` prints. */
const generalSymbols: Symbols = {
  ENROLLEE_SUPPLIES_SUBJECT: 0x1,
  ADD_EMAIL: 0x2,
  ADD_OBJ_GUID: 0x4,
  PUBLISH_TO_DS: 0x8,
  EXPORTABLE_KEY: 0x10,
  AUTO_ENROLLMENT: 0x20,
  MACHINE_TYPE: 0x40,
  IS_CA: 0x80,
  ADD_DIRECTORY_PATH: 0x100,
  ADD_TEMPLATE_NAME: 0x200,
  ADD_SUBJECT_DIRECTORY_PATH: 0x400,
  IS_CROSS_CA: 0x800,
  DONOTPERSISTINDB: 0x1000,
  IS_DEFAULT: 0x1_0000,
  IS_MODIFIED: 0x2_0000,
  IS_DELETED: 0x4_0000,
  POLICY_MISMATCH: 0x8_0000,
};

/** Our words that are not the symbol in camelCase. */
const differentWords: Readonly<Record<string, string>> = {
  FORCETELETEX: "forceTeletex",
  FORCEUTF8: "forceUtf8",
  CAXCHGCERT: "caExchangeCertificate",
  ENROLLONBEHALFOF: "enrollOnBehalfOf",
  SUBJECTUNMODIFIED: "subjectUnmodified",
  VALIDENCRYPTEDKEYHASH: "validEncryptedKeyHash",
  CACROSSCERT: "caCrossCertificate",
  ENFORCEUTF8: "enforceUtf8",
  DEFINEDCACERT: "definedCaCertificate",
  CHALLENGEPENDING: "challengePending",
  CHALLENGESATISFIED: "challengeSatisfied",
  TRUSTONUSE: "trustOnUse",
  TRUSTEKCERT: "trustEndorsementCertificate",
  TRUSTEKKEY: "trustEndorsementKey",
  PUBLISHERROR: "publishError",
  FULLRESPONSE: "fullResponse",
  CLIENTIDNONE: "clientIdNone",
  CONNECTONLY: "connectOnly",
  RETURNCHALLENGE: "returnChallenge",
  SCEPPOST: "scepPost",
  CERTIFICATETRANSPARENCY: "certificateTransparency",
  PRESIGN: "preSign",
  ADD_OCSP_NOCHECK: "addOcspNoCheck",
  ENABLE_KEY_REUSE_ON_NT_TOKEN_KEYSET_STORAGE_FULL: "reuseKeyOnFullSmartCard",
  NOREVOCATIONINFOINISSUEDCERTS: "noRevocationInfoInCertificates",
  INCLUDE_BASIC_CONSTRAINTS_FOR_EE_CERTS: "includeBasicConstraintsForEndEntities",
  ALLOW_PREVIOUS_APPROVAL_KEYBASEDRENEWAL_VALIDATE_REENROLLMENT:
    "allowPreviousApprovalKeyBasedRenewal",
  ADD_OBJ_GUID: "addObjectGuid",
  DONOTPERSISTINDB: "doNotPersistInDatabase",
};

function wordOf(symbol: string): string {
  const camel = symbol
    .toLowerCase()
    .replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  return differentWords[symbol] ?? camel;
}

for (const [name, flags, symbols] of [
  ["request flags", requestFlags, requestFlagSymbols],
  ["flags of a request type", requestTypeFlags, requestTypeSymbols],
  ["enrolment flags", enrollmentFlags, enrollmentSymbols],
  ["general flags", generalFlags, generalSymbols],
] as const satisfies readonly (readonly [string, Flags, Symbols])[]) {
  test(`the ${name} are those of the specifications, and no others`, () => {
    const expected = Object.entries(symbols).map(([symbol, bit]) => [bit, wordOf(symbol)]);
    assert.deepEqual(flags, expected);
    for (const [bit, word] of flags) assert.deepEqual(flagWords(flags, bit), [word]);
  });
}

test("a request over HTTP is not one over SCEP and RPC", () => {
  assert.deepEqual(flagWords(requestTypeFlags, 0x3_0000), ["http"]);
  assert.deepEqual(flagWords(requestTypeFlags, 0x7_0000), ["http", "fullResponse"]);
});

for (const [name, words, expected] of [
  [
    // CR_IN_* of certcli.h in bits 8 to 15.
    "request formats",
    requestFormats,
    {
      0: "any",
      1: "pkcs10",
      2: "keygen",
      3: "pkcs7",
      4: "cmc",
      5: "challengeResponse",
      6: "signedCertificateTimestampList",
    },
  ],
  [
    // DB_DISP_* of certsrv.h; [MS-CSRA] calls 30 failed.
    "dispositions",
    dispositionWords,
    {
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
    },
  ],
  [
    // RFC 5280 5.3.1, which does not use 7; -1 of [MS-CSRA].
    "revocation reasons",
    revocationReasons,
    {
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
    },
  ],
  [
    // ENUM_CATYPES of certsrv.h, which does not use 2.
    "types of a CA",
    caTypes,
    {
      0: "enterpriseRoot",
      1: "enterpriseSubordinate",
      3: "standaloneRoot",
      4: "standaloneSubordinate",
      5: "unknown",
    },
  ],
  [
    // CA_DISP_* of certadm.h.
    "states of a CA certificate",
    caStates,
    { 0: "incomplete", 1: "error", 2: "revoked", 3: "valid", 4: "invalid", 5: "underSubmission" },
  ],
  [
    // EXTENSION_ORIGIN_* of certsrv.h in bits 16 to 19.
    "origins of an extension",
    extensionOrigins,
    {
      1: "request",
      2: "policy",
      3: "admin",
      4: "server",
      5: "renewalCertificate",
      6: "importedCertificate",
      7: "pkcs7",
      8: "cmc",
      9: "caCertificate",
    },
  ],
] as const satisfies readonly (readonly [string, Enumeration, Enumeration])[]) {
  test(`the ${name} are those of the specifications, and no others`, () => {
    assert.deepEqual({ ...words }, expected);
  });
}

test("every HRESULT of the CA itself has its symbol", () => {
  // CERTSRV_E_* of winerror.h: 0x80094001 to 0x80094018 and 0x80094800 to 0x80094821, without a gap.
  for (const [first, last] of [
    [0x80094001, 0x80094018],
    [0x80094800, 0x80094821],
  ] as const) {
    for (let code = first; code <= last; code += 1) {
      assert.match(hresultSymbol(code) ?? "", /^CERTSRV_E_/, code.toString(16));
    }
  }
  assert.equal(hresultSymbol(0x80094815), "CERTSRV_E_TOO_MANY_SIGNATURES");
  assert.equal(hresultSymbol(0x80094821), "CERTSRV_E_SEC_EXT_DIRECTORY_SID_REQUIRED");
});

test("the event bits are those of certexit.h", () => {
  // EXITEVENT_*; 0x100 has no symbol there.
  assert.deepEqual(exitEvents, {
    issued: 0x1,
    pending: 0x2,
    denied: 0x4,
    revoked: 0x8,
    retrievePending: 0x10,
    crlIssued: 0x20,
    shutdown: 0x40,
    startup: 0x80,
    imported: 0x200,
  });
});
