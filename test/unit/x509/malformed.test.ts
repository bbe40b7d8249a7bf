import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseCertificate } from "../../../src/x509/certificate.ts";
import { parseCrl } from "../../../src/x509/crl.ts";
import { redactRequest } from "../../../src/x509/request.ts";
import { certificateFixtures, fixture } from "../../support/exit-records.ts";
import { scaled } from "../../support/scale.ts";

type Parse = (der: Buffer) => { readonly problems: readonly unknown[] };

const samples: (readonly [name: string, der: Buffer, parse: Parse])[] = [
  ...certificateFixtures.map((name) => [name, fixture(name), parseCertificate] as const),
  ...["base-crl", "delta-crl"].map((name) => [name, fixture(name), parseCrl] as const),
  ...["challenge-request", "challenge-pkcs7"].map((name) => [name, fixture(name), redact] as const),
];

function redact(der: Buffer): { readonly problems: readonly string[] } {
  return { problems: redactRequest(der) === undefined ? ["stays out"] : [] };
}

for (const [name, der, parse] of samples) {
  test(`${name} cut off at any byte is read as far as it goes`, () => {
    for (let length = 0; length < der.length; length++) {
      assert.notEqual(parse(der.subarray(0, length)).problems.length, 0);
    }
  });

  test(`${name} with any byte changed in several ways never throws`, () => {
    for (let offset = 0; offset < der.length; offset++) {
      for (const value of [0x00, 0x1f, 0x30, 0x84, 0xff, (der[offset] ?? 0) ^ 1]) {
        const changed = Buffer.from(der);
        changed[offset] = value;
        parse(changed);
      }
    }
  });
}

test("certificates with several random changes never throw", () => {
  const change = fc.tuple(fc.nat(), fc.nat(255));
  fc.assert(
    fc.property(
      fc.constantFrom(...samples),
      fc.array(change, { maxLength: 8 }),
      ([, der, parse], changes) => {
        const changed = Buffer.from(der);
        for (const [offset, value] of changes) changed[offset % der.length] = value;
        parse(changed);
      },
    ),
    { numRuns: scaled(2000) },
  );
});

test("random bytes are neither a certificate nor a CRL, and never throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      for (const [, , parse] of samples)
        assert.notEqual(parse(Buffer.from(bytes)).problems.length, 0);
    }),
  );
});

test("a malformed part is named, and the parts after it are there", () => {
  const der = Buffer.from(fixture("rsa-v1-template"));
  const name = der.indexOf("0603550406", 0, "hex");
  der[name] = 0x05;
  const { certificate, problems } = parseCertificate(der);
  assert.equal(certificate.subject, undefined);
  assert.deepEqual(problems, [{ part: "subject", reason: "tag 0x05 where 0x06 is expected" }]);
  assert.deepEqual(certificate.template, { name: "WebServer" });
  assert.match(certificate.issuer?.distinguishedName ?? "", /Issuing CA 1/);
});

test("a malformed extension is named by its OID and costs only itself", () => {
  const der = Buffer.from(fixture("rsa-v1-template"));
  // The BMPString of the template's name becomes one of odd length.
  const at = der.indexOf("1e12005700650062", 0, "hex");
  der[at] = 0x1c;
  const { certificate, problems } = parseCertificate(der);
  assert.deepEqual(
    problems.map(({ part }) => part),
    ["1.3.6.1.4.1.311.20.2"],
  );
  assert.equal(certificate.template, undefined);
  assert.deepEqual(certificate.subjectAlternativeNames?.dns, ["www.contoso.com", "contoso.com"]);
});

test("an extension that occurs twice counts once and is named", () => {
  const der = Buffer.from(fixture("rsa-v1-template"));
  // The key purposes take the OID of the alternative names.
  const at = der.indexOf("0603551d25", 0, "hex");
  der[at + 4] = 0x11;
  const { problems } = parseCertificate(der);
  assert.deepEqual(
    problems.map(({ part }) => part),
    ["2.5.29.17", "2.5.29.17"],
  );
});
