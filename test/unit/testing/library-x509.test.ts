import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../../src/simulate/seeded-random.ts";
import type { SigningKey } from "../../../src/simulate/signing-key.ts";
import { ownX509, type X509Maker } from "../../../src/simulate/x509-builder.ts";
import * as extensions from "../../../src/simulate/x509-extensions.ts";
import { createKey } from "../../../src/testing/x509/keys.ts";
import { libraryX509 } from "../../../src/testing/x509/library-x509.ts";

const [early, late] = [new Date("2026-01-05T08:00:00.750Z"), new Date("2050-06-01T00:00:00Z")];
const issuer = [
  ["CN", "Test CA, with a comma"],
  ["O", "Größe"],
  ["DC", "example"],
] as const;
const extensionList = [
  extensions.keyUsage(["digitalSignature", "cRLSign"]),
  extensions.subjectAltName([{ dns: "a.example" }, { upn: "a@example" }, { ip: [10, 0, 0, 1] }]),
  extensions.caConstraints(0),
];

/** A certificate, two requests and two CRLs. */
function allOf(x509: X509Maker, key: SigningKey): Buffer[] {
  const certificate = {
    issuer,
    notBefore: early,
    notAfter: late,
    publicKeyInfo: key.publicKeyInfo,
    extensions: extensionList,
  };
  const crl = {
    issuer,
    thisUpdate: early,
    nextUpdate: late,
    extensions: [extensions.crlNumber(7)],
  };
  const entries = [
    { serialNumber: "ff01", revokedAt: early, reason: 0 },
    { serialNumber: "61000000ab", revokedAt: late, reason: 6 },
  ];
  return [
    x509.certificate({ ...certificate, serialNumber: "61ff", subject: [["CN", "Zoë"]] }, key),
    x509.certificate({ ...certificate, serialNumber: "80", subject: [] }, key),
    x509.request(
      {
        subject: issuer,
        extensions: extensionList,
        osVersion: "10.0.1.2",
        challengePassword: "pw",
      },
      key,
    ),
    x509.request({ subject: [], extensions: [] }, key),
    x509.crl({ ...crl, entries }, key),
    x509.crl({ ...crl, entries: [] }, key),
  ];
}

for (const kind of ["rsa-2048", "p-256", "ml-dsa-44"] as const) {
  test(`the libraries and the simulator's code write the same bytes: ${kind}`, () => {
    const key = createKey(new SeededRandom("x509"), kind);
    assert.deepEqual(allOf(libraryX509, key), allOf(ownX509, key));
  });
}
