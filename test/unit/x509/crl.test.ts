import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCertificate } from "../../../src/x509/certificate.ts";
import { parseCrl } from "../../../src/x509/crl.ts";
import { DerReader } from "../../../src/x509/reader.ts";
import { fixture } from "../../support/exit-records.ts";
import { largeCrl } from "../../support/large-crl.ts";

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

test("a CRL of 5 MiB is read with one step an entry, and the number after its entries is found", (t) => {
  const count = 131_072;
  const der = largeCrl(count);
  assert.ok(der.length > 5 * 1024 * 1024);
  const next = t.mock.method(DerReader.prototype, "next");
  const { crl, problems } = parseCrl(der);
  assert.deepEqual(problems, []);
  assert.equal(crl.entryCount, count);
  assert.equal(crl.number, "7");
  const steps = next.mock.callCount();
  assert.ok(steps < count + 50, `${steps} steps`);
});
