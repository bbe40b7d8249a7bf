import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCertificate } from "../../../src/x509/certificate.ts";
import { parseCrl } from "../../../src/x509/crl.ts";
import { fixture } from "../../support/exit-records.ts";

test("a base CRL shows issuer, times, number, CA version and number of entries", () => {
  const { crl, problems } = parseCrl(fixture("base-crl"));
  const ca = parseCertificate(fixture("ca-rsa")).certificate;
  assert.deepEqual(problems, []);
  assert.deepEqual(crl.issuer, ca.subject);
  assert.equal(crl.authorityKeyIdentifier, ca.subjectKeyIdentifier);
  assert.equal(crl.number, "4112");
  assert.equal(crl.baseNumber, undefined);
  assert.equal(crl.entryCount, 3);
  assert.equal(crl.nextPublish, "2030-01-01T00:00:00Z");
  assert.deepEqual(crl.caVersion, { certificateIndex: 1, keyIndex: 2 });
  assert.equal(crl.signatureAlgorithm?.name, "SHA256-RSA");
  const days = (Date.parse(crl.nextUpdate ?? "") - Date.parse(crl.thisUpdate ?? "")) / 86_400_000;
  assert.equal(days, 7);
});

test("a delta CRL names its base", () => {
  const { crl } = parseCrl(fixture("delta-crl"));
  assert.equal(crl.number, "4113");
  assert.equal(crl.baseNumber, "4112");
});

/** A CRL with `count` entries of 40 bytes made from the fixture. */
function withEntries(count: number): Buffer {
  const entry = Buffer.from(
    `3026021100${"ab".repeat(16)}170d3235303130313030303030305a300230 00`.replaceAll(" ", ""),
    "hex",
  );
  assert.equal(entry[1], entry.length - 2);
  const sequence = (tag: number, content: Buffer) => {
    const head = Buffer.from([tag, 0x84, 0, 0, 0, 0]);
    head.writeUInt32BE(content.length, 2);
    return Buffer.concat([head, content]);
  };
  const entries = sequence(0x30, Buffer.concat(Array.from({ length: count }, () => entry)));
  const algorithm = Buffer.from("300d06092a864886f70d01010b0500", "hex");
  const issuer = Buffer.from("300c310a300806035504030c0143", "hex");
  const thisUpdate = Buffer.from("170d3235303130313030303030305a", "hex");
  const number = Buffer.from("a00e300c300a0603551d1404030201 07".replaceAll(" ", ""), "hex");
  const body = Buffer.concat([
    Buffer.from("020101", "hex"),
    algorithm,
    issuer,
    thisUpdate,
    entries,
    number,
  ]);
  return sequence(
    0x30,
    Buffer.concat([sequence(0x30, body), algorithm, Buffer.from("030200ff", "hex")]),
  );
}

test("a CRL of 5 MiB is read within 200 ms, and the number after its entries is found", () => {
  const der = withEntries(131_072);
  assert.ok(der.length > 5 * 1024 * 1024);
  const start = process.cpuUsage();
  const { crl, problems } = parseCrl(der);
  const { user } = process.cpuUsage(start);
  assert.deepEqual(problems, []);
  assert.equal(crl.entryCount, 131_072);
  assert.equal(crl.number, "7");
  assert.ok(user < 200_000, `${user} µs`);
});
