import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import type { TypedEvent } from "../../../src/events/typed-event.ts";
import type { TestTemplate } from "../../../src/testing/ca/templates.ts";
import { testCa } from "../../../src/testing/ca/test-ca.ts";
import { parseCertificate } from "../../../src/x509/certificate.ts";

function certificateOf({ data }: TypedEvent<"certificate.issued">): Buffer {
  return Buffer.from(data.certificate?.der ?? "", "base64");
}

function failsWith(pattern: RegExp) {
  return { code: "CERTWIRE_TESTING_OPTIONS", message: pattern };
}

const indefinite = Buffer.from("308005000000", "hex");
const refused: readonly [options: object, message: RegExp][] = [
  [{ extendedKeyUsages: ["1.2.3", ""] }, /^extendedKeyUsages\[1\]: "" is not an object identifier/],
  [{ extendedKeyUsages: ["1"] }, /: "1" is not/],
  [{ extendedKeyUsages: ["serverAuth"] }, /: "serverAuth" is not/],
  [{ extendedKeyUsages: ["1.2."] }, /: "1\.2\." is not/],
  [{ extendedKeyUsages: ["1.2.03"] }, /: "1\.2\.03" is not/],
  [{ extendedKeyUsages: ["1.40.1"] }, /: "1\.40\.1" is not/],
  [{ extendedKeyUsages: ["3.1"] }, /: "3\.1" is not/],
  [{ extendedKeyUsages: ["1.2.0x10"] }, /: "1\.2\.0x10" is not/],
  [{ extendedKeyUsages: ["1.2.562949953421312"] }, /: "1\.2\.562949953421312" is not/],
  [{ extendedKeyUsages: ["1.2.9007199254740993"] }, /: "1\.2\.9007199254740993" is not/],
  [{ template: { name: "T", oid: "T" } }, /^template\.oid: "T" is not an object identifier/],
  [{ template: { name: "T", version: [1, -1] } }, /^template\.version: -1 is not a whole number/],
  [{ template: { name: "T", version: [1.5, 1] } }, /^template\.version: 1\.5 is not/],
  [{ template: { name: "T", keyUsages: ["sign"] } }, /^template\.keyUsages: "sign" is not a key/],
  [{ template: { name: "T", validityDays: Number.NaN } }, /^validityDays: NaN is not a number/],
  [{ validityDays: 1e9 }, /^validityDays: 1000000000 is not a number of days that ends from 1950/],
  [{ validityDays: -40_000 }, /^validityDays: -40000 is not/],
  [{ key: "rsa-1" }, /^key: "rsa-1" is not a kind of key/],
  [{ sid: "alice" }, /^sid: "alice" is not a SID/],
  [
    { extensions: [{ oid: "a", isCritical: false, value: indefinite }] },
    /^extensions\[0\]\.oid: "a"/,
  ],
  [
    { extensions: [{ oid: "1.2.3", value: "0500" }] },
    /^extensions\[0\]\.value: "0500" is not a Buf/,
  ],
  [{ subject: [["XX", "a"]] }, /^subject: "XX" is not an attribute of a name/],
  [{ subject: "E=zoë@corp.example" }, /^subject: E: "zoë@corp\.example" is not an IA5String/],
  [{ sans: ["www.exämple.com"] }, /^sans\[0\]\.dns: "www\.exämple\.com" is not an IA5String/],
  [{ sans: [{ email: "中@b" }] }, /^sans\[0\]\.email: "中@b" is not/],
  [{ sans: [{ uri: "http://ü" }] }, /^sans\[0\]\.uri: "http:\/\/ü" is not/],
  [{ sans: ["a", { ip: [192, 0, 2] }] }, /^sans\[1\]\.ip: \[192,0,2\] is not an IP address of 4/],
  [{ sans: [{ ip: [192, 0, 2, 256] }] }, /^sans\[0\]\.ip: \[192,0,2,256\] is not/],
  [{ sans: [{ directory: [["XX", "a"]] }] }, /^sans\[0\]\.directory: "XX" is not an attribute/],
  [{ sans: [{ registeredId: "a.b" }] }, /^sans\[0\]\.registeredId: "a\.b" is not an object/],
  [{ sans: [{ host: "a" }] }, /^sans\[0\]: \{"host":"a"\} is not an alternative name/],
  [otherName("x", "0500"), /^sans\[0\]\.otherName\.oid: "x" is not an object identifier/],
  ...["", "3005", "020105ff", "308005000000", "300430800000"].map((hex): [object, RegExp] => [
    otherName("1.2.3", hex),
    new RegExp(`^sans\\[0\\]\\.otherName\\.value: "${hex}" is not one element in DER`),
  ]),
];

function otherName(oid: string, hex: string) {
  return { sans: [{ otherName: { oid, value: Buffer.from(hex, "hex") } }] };
}

for (const [options, message] of refused) {
  test(`an option that no certificate can hold is refused: ${message.source}`, () => {
    assert.throws(() => testCa().issue(options), failsWith(message));
  });
}

test("a requester with letters that a host name cannot hold has names in ASCII", () => {
  const ca = testCa();
  const user = ca.issue({ template: "User", requester: "CORP\\José" });
  assert.equal(user.data.request?.requesterName, "CORP\\José");
  assert.match(new X509Certificate(certificateOf(user)).subjectAltName ?? "", /email:jose@corp\./);
  const machine = ca.issue({ template: "Machine", requester: "CORP\\Ł中1$" });
  const names = new X509Certificate(certificateOf(machine)).subjectAltName;
  assert.equal(names, "DNS:--1.corp.example");
});

test("a CA whose key or time no certificate can hold is refused", () => {
  const key = "rsa" as "rsa-2048";
  assert.throws(() => testCa({ key }), failsWith(/^key: "rsa" is not a kind of key/));
  assert.throws(() => testCa().renew({ key }), failsWith(/^key: "rsa" is not a kind of key/));
  for (const start of ["1949-12-31T23:59:59Z", "+010000-01-01T00:00:00Z"]) {
    assert.throws(
      () => testCa({ start }),
      failsWith(/^clock: .+ is not in the years 1961 to 9988/),
    );
  }
});

test("OpenSSL reads every object identifier that is not refused as it was given", () => {
  const arcs = [0n, 127n, 128n, 2n ** 32n, 2n ** 49n - 1n, 2n ** 56n, 2n ** 128n - 1n];
  const oids = ["0.39", "1.0", "2.999", ...arcs.map((arc) => `2.25.${arc}`)];
  const certificate = new X509Certificate(
    certificateOf(testCa().issue({ extendedKeyUsages: oids })),
  );
  assert.deepEqual(certificate.keyUsage, oids);
});

test("OpenSSL reads the values of otherName and IP addresses as they were given", () => {
  const ip = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
  const value = Buffer.from("3005a0030c0161", "hex");
  const issued = testCa().issue({ sans: [{ ip }, { otherName: { oid: "1.2.3.4", value } }] });
  const certificate = certificateOf(issued);
  const names = new X509Certificate(certificate).subjectAltName ?? "";
  assert.match(names, /IP Address:2001:DB8:0:0:0:0:0:7/);
  // otherName: [0] { type-id, value [0] EXPLICIT }
  const encoded = Buffer.from(`a00e06032a0304a007${value.toString("hex")}`, "hex");
  assert.ok(certificate.includes(encoded), names);
});

test("a certificate for no purpose, or without key usages, has no empty extension of it", () => {
  const oids = { extendedKeyUsage: "551d25", keyUsage: "551d0f", policies: "2b060104018237150a" };
  const those = (template: TestTemplate) => {
    const certificate = certificateOf(testCa().issue({ template }));
    assert.deepEqual(parseCertificate(certificate).problems, []);
    return Object.values(oids).filter((hex) => certificate.includes(hex, 0, "hex"));
  };
  assert.deepEqual(those({ name: "Default" }), Object.values(oids));
  assert.deepEqual(those({ name: "Empty", extendedKeyUsages: [], keyUsages: [] }), []);
});
