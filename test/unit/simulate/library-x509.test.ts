import assert from "node:assert/strict";
import { test } from "node:test";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import { SeededRandom } from "../../../src/simulate/seeded-random.ts";
import type { SigningKey } from "../../../src/simulate/signing-key.ts";
import { buildCertificate, buildCrl, buildRequest } from "../../../src/simulate/x509-builder.ts";
import * as extensions from "../../../src/simulate/x509-extensions.ts";
import { createKey, type KeyKind } from "../../../src/testing/x509/keys.ts";
import { libraryCertificate, libraryCrl, libraryRequest } from "../../support/library-x509.ts";

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

const own = { certificate: buildCertificate, request: buildRequest, crl: buildCrl };
const library: typeof own = {
  certificate: libraryCertificate,
  request: libraryRequest,
  crl: libraryCrl,
};

/** Two certificates, two requests and two CRLs. */
function allOf(x509: typeof own, key: SigningKey): Buffer[] {
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

for (const kind of ["rsa-2048", "p-256", "p-521", "ml-dsa-44"] as const) {
  test(`the simulator writes the bytes that the ASN.1 libraries write: ${kind}`, () => {
    const key = createKey(new SeededRandom("x509"), kind);
    assert.deepEqual(allOf(own, key), allOf(library, key));
  });
}

for (const [kind, curve] of Object.entries({ "p-256": p256, "p-384": p384, "p-521": p521 })) {
  test(`signatures of the simulator's ${kind} keys are valid for another library`, () => {
    const random = new SeededRandom(`signatures ${kind}`);
    for (let made = 0; made < 20; made += 1) {
      const key = createKey(random, kind as KeyKind);
      const data = random.bytes(made);
      const options = { format: "der", lowS: false } as const;
      assert.ok(curve.verify(key.sign(data), data, key.publicKey, options), `data ${made}`);
      const other = Buffer.concat([data, Buffer.from([0])]);
      assert.equal(curve.verify(key.sign(data), other, key.publicKey, options), false);
    }
  });
}
