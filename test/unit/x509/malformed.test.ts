import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseCertificate } from "../../../src/x509/certificate.ts";
import { parseRequest } from "../../../src/x509/certification-request.ts";
import { parseCrl } from "../../../src/x509/crl.ts";
import { redactRequest } from "../../../src/x509/redact-request.ts";
import { cmcSample } from "../../support/build-request.ts";
import { certificateFixtures, fixture } from "../../support/exit-records.ts";
import { scaled } from "../../support/scale.ts";

type Parse = (der: Buffer) => { readonly problems: readonly unknown[] };

const samples: (readonly [name: string, der: Buffer, parse: Parse])[] = [
  ...certificateFixtures.map((name) => [name, fixture(name), parseCertificate] as const),
  ...["base-crl", "delta-crl"].map((name) => [name, fixture(name), parseCrl] as const),
  ...["challenge-request", "challenge-pkcs7"].map((name) => [name, fixture(name), redact] as const),
  ...["full-request", "full-pkcs7", "full-pkcs7-ber", "two-signers"].map(
    (name) => [name, fixture(name), parseRequest] as const,
  ),
  ["a CMC message", cmcSample, parseRequest],
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

test("certificates, CRLs and requests with several random changes never throw", () => {
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

test("random bytes are neither a certificate nor a CRL nor a request, and never throw", () => {
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
  assert.equal(
    certificate.subject?.distinguishedName,
    "CN=www.contoso.com,OU=Ops+OU=Web,O=Contoso\\, Inc.,L=Redmond,ST=Washington",
  );
  assert.deepEqual(problems, [
    { part: "subject[0][0]", reason: "tag 0x05 where 0x06 is expected" },
  ]);
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

test("a repeated extension is named; of alternative names every one is read", () => {
  const der = Buffer.from(fixture("rsa-v1-template"));
  // The key purposes take the OID of the alternative names, which come later.
  const at = der.indexOf("0603551d25", 0, "hex");
  der[at + 4] = 0x11;
  const { certificate, problems } = parseCertificate(der);
  assert.deepEqual(problems, [
    { part: "2.5.29.17[0]", reason: "general name of unknown kind" },
    { part: "2.5.29.17", reason: "occurs twice" },
  ]);
  assert.deepEqual(certificate.subjectAlternativeNames?.dns, ["www.contoso.com", "contoso.com"]);
});

test("of any other repeated extension the first one counts", () => {
  const der = Buffer.from(fixture("rsa-v1-template"));
  const { certificate: before } = parseCertificate(der);
  // The authority's key identifier takes the OID of the subject's.
  const at = der.indexOf("0603551d23", 0, "hex");
  der[at + 4] = 0x0e;
  const { certificate, problems } = parseCertificate(der);
  assert.deepEqual(
    problems.map(({ part }) => part),
    ["2.5.29.14"],
  );
  assert.equal(certificate.subjectKeyIdentifier, before.subjectKeyIdentifier);
});

test("an extension with a broken OID does not hide those after it", () => {
  const der = Buffer.from(fixture("rsa-v1-template"));
  // The OID of the key usage, 2.5.29.15, becomes one that ends inside an arc.
  const at = der.indexOf("0603551d0f", 0, "hex");
  der[at + 4] = 0x8f;
  const { certificate, problems } = parseCertificate(der);
  assert.deepEqual(
    problems.map(({ part, reason }) => [part.replace(/\d+/, "n"), reason]),
    [["extensions[n]", "OID ends inside an arc"]],
  );
  assert.equal(certificate.keyUsage, undefined);
  assert.deepEqual(certificate.subjectAlternativeNames?.dns, ["www.contoso.com", "contoso.com"]);
  assert.equal(certificate.extendedKeyUsage?.length, 1);
});

test("a bad date does not hide the other one", () => {
  for (const [bad, good, at] of [
    ["notBefore", "notAfter", 0],
    ["notAfter", "notBefore", 15],
  ] as const) {
    const der = Buffer.from(fixture("rsa-v1-template"));
    const dates = der.indexOf("170d", 0, "hex");
    der.write("99", dates + at + 4, "latin1");
    const { certificate, problems } = parseCertificate(der);
    assert.deepEqual(problems, [{ part: bad, reason: "time does not exist" }]);
    assert.equal(certificate[bad], undefined);
    assert.match(certificate[good] ?? "", /^20/);
  }
});

test("a part with another tag than its own does not hide the parts after it", () => {
  const der = Buffer.from(fixture("rsa-v1-template"));
  const issuer = der.indexOf("31133011060a", 0, "hex");
  assert.ok(issuer > 0);
  der[issuer - 2] = 0x31;
  const { certificate, problems } = parseCertificate(der);
  assert.deepEqual(problems, [{ part: "issuer", reason: "tag 0x31 where 0x30 is expected" }]);
  assert.deepEqual(certificate.subjectAlternativeNames?.dns, ["www.contoso.com", "contoso.com"]);
  assert.match(certificate.subject?.distinguishedName ?? "", /^CN=www/);
});

test("a broken first name hides neither UPN nor DNS name", () => {
  const { certificate, problems } = parseCertificate(fixture("broken-first-name"));
  assert.deepEqual(certificate.subjectAlternativeNames, {
    upn: ["administrator@corp.example"],
    dns: ["dc01.corp.example"],
  });
  assert.deepEqual(problems, [
    { part: "2.5.29.17[0]", reason: "IP address is not 4 or 16 octets long" },
  ]);
});

test("more than one SID is named, and each is there", () => {
  const { certificate, problems } = parseCertificate(fixture("two-sids"));
  assert.equal(certificate.sid, "S-1-5-21-1381186052-4247692386-135928078-1225");
  assert.deepEqual(certificate.otherSids, ["S-1-5-21-1-2-3-500"]);
  assert.deepEqual(problems, [{ part: "1.3.6.1.4.1.311.25.2[1]", reason: "more than one SID" }]);
});

/** The fixture with two SIDs, changed in places of the extension. */
function changedSids(...changes: [from: string, to: string][]) {
  const der = Buffer.from(fixture("two-sids"));
  for (const [from, to] of changes) {
    const [old, changed] = [Buffer.from(from, "latin1"), Buffer.from(to, "latin1")];
    assert.equal(old.length, changed.length);
    changed.copy(der, der.indexOf(old));
  }
  const { certificate, problems } = parseCertificate(der);
  return { certificate, problems: problems.map(({ part, reason }) => `${part}: ${reason}`) };
}

const sidOid = "\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x19\x02\x01";
const otherOid = `${sidOid.slice(0, -1)}\x07`;

test("only the otherName of the SID's OID is a SID, wherever it stands", () => {
  const { certificate, problems } = changedSids([sidOid, otherOid]);
  assert.equal(certificate.sid, "S-1-5-21-1-2-3-500");
  assert.equal(certificate.otherSids, undefined);
  assert.deepEqual(problems, [
    "1.3.6.1.4.1.311.25.2[0]: otherName 1.3.6.1.4.1.311.25.2.7 is not a SID",
  ]);
});

test("a SID extension without a SID is named", () => {
  const { certificate, problems } = changedSids([sidOid, otherOid], [sidOid, otherOid]);
  assert.equal(certificate.sid, undefined);
  assert.equal(problems.at(-1), "1.3.6.1.4.1.311.25.2: has no SID");
});

test("a text that is not a SID is not one", () => {
  const nul = changedSids(["S-1-5-21-1-2-3-500", "S-1-5-21-1-2-3-50\0"]);
  assert.equal(nul.certificate.otherSids, undefined);
  assert.deepEqual(nul.problems, ["1.3.6.1.4.1.311.25.2[1]: is not a SID"]);
  const word = changedSids(["S-1-5-21-1-2-3-500", "administrator-1-50"]);
  assert.deepEqual(word.problems, ["1.3.6.1.4.1.311.25.2[1]: is not a SID"]);
});
