import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCertificate } from "../../../src/x509/certificate.ts";
import { parseCrl } from "../../../src/x509/crl.ts";
import { oidOctets } from "../../../src/x509/oid.ts";

const der = (tag: number, ...content: Buffer[]) => {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag, 0x82, body.length >> 8, body.length & 0xff]), body]);
};
const oid = (dotted: string) => der(0x06, oidOctets(dotted));
const text = (tag: number, value: string) => der(tag, Buffer.from(value, "latin1"));
const algorithm = der(0x30, oid("1.2.840.113549.1.1.11"));
const name = der(0x30, der(0x31, der(0x30, oid("2.5.4.3"), text(0x0c, "x"))));
const time = (year: string) => text(0x17, `${year}0101000000Z`);
const publicKey = der(0x30, der(0x30, oid("1.3.101.112")), der(0x03, Buffer.alloc(33)));
const extension = (type: string, value: Buffer, ...more: Buffer[]) =>
  der(0x30, oid(type), der(0x04, value), ...more);
const dns = (value: string) => text(0x82, value);
const san = "2.5.29.17";

/** A certificate of version 3; `rest` stands after its public key. */
function certificate(...rest: Buffer[]) {
  const version = der(0xa0, text(0x02, "\x02"));
  const validity = der(0x30, time("25"), time("26"));
  const parts = [version, text(0x02, "\x05"), algorithm, name, validity, name, publicKey];
  const whole = der(0x30, der(0x30, ...parts, ...rest), algorithm, der(0x03, Buffer.alloc(2)));
  const { certificate: found, problems } = parseCertificate(whole);
  return { found, problems: problems.map(({ part, reason }) => `${part}: ${reason}`) };
}

const withExtension = (...args: Parameters<typeof extension>) =>
  certificate(der(0xa3, der(0x30, extension(...args))));

/** A CRL; `rest` stands after its first date. */
function crl(...rest: Buffer[]) {
  const tbs = der(0x30, text(0x02, "\x01"), algorithm, name, time("25"), ...rest);
  const { crl: found, problems } = parseCrl(der(0x30, tbs, algorithm, der(0x03, Buffer.alloc(2))));
  return { found, problems: problems.map(({ part, reason }) => `${part}: ${reason}`) };
}

const crlNumber = der(0xa0, der(0x30, extension("2.5.29.20", text(0x02, "\x07"))));
const entry = der(0x30, text(0x02, "\x01"), time("25"));

test("an element that nobody expects does not hide the extensions of a certificate", () => {
  const names = der(0xa3, der(0x30, extension(san, der(0x30, dns("a.example")))));
  const { found, problems } = certificate(text(0xa1, ""), names);
  assert.deepEqual(found.subjectAlternativeNames, { dns: ["a.example"] });
  assert.deepEqual(problems, ["certificate: element with tag 0xa1 is not expected here"]);
});

test("an element that nobody expects does not hide the number of a CRL, nor its next date", () => {
  const { found, problems } = crl(text(0x05, ""), time("26"), der(0x30, entry), crlNumber);
  assert.equal(found.number, "7");
  assert.equal(found.nextUpdate, "2026-01-01T00:00:00Z");
  assert.equal(found.entryCount, 1);
  assert.deepEqual(problems, ["crl: element with tag 0x05 is not expected here"]);
});

test("entries of a CRL are counted whatever their tag, and a CRL without entries has none", () => {
  const { found, problems } = crl(time("26"), der(0x30, entry, text(0x05, ""), entry), crlNumber);
  assert.equal(found.entryCount, 3);
  assert.deepEqual(problems, ["entries: 1 entries are not a SEQUENCE"]);
  assert.equal(crl(time("26"), crlNumber).found.entryCount, 0);
});

test("what is left over in an extension, a name and its value is named", () => {
  const upn = (...values: Buffer[]) =>
    der(0xa0, oid("1.3.6.1.4.1.311.20.2.3"), der(0xa0, ...values));
  const user = text(0x0c, "a@b");
  const cases: readonly (readonly [string, ReturnType<typeof certificate>])[] = [
    [
      "a second list",
      withExtension(san, Buffer.concat([der(0x30, dns("a")), der(0x30, dns("b"))])),
    ],
    ["a second value", withExtension(san, der(0x30, upn(user, text(0x0c, "admin@b"))))],
    ["a second extension value", withExtension(san, der(0x30, dns("a")), text(0x04, "x"))],
  ];
  for (const [what, { problems }] of cases) {
    assert.equal(problems.length, 1, `${what}: ${problems.join()}`);
    assert.match(problems[0] ?? "", /more than is expected/, what);
  }
});

test("a UPN in chunks is read, and one that is not a string is named", () => {
  const upn = (value: Buffer) => der(0xa0, oid("1.3.6.1.4.1.311.20.2.3"), der(0xa0, value));
  const chunks = der(0x2c, text(0x0c, "admin"), text(0x0c, "@b"));
  const { found, problems } = withExtension(san, der(0x30, upn(chunks), upn(text(0x02, "\x01"))));
  assert.deepEqual(found.subjectAlternativeNames?.upn, ["admin@b"]);
  assert.deepEqual(problems, [`${san}[1]: UPN is not a string`]);
});

test("a part that is malformed as a whole is absent, since its empty form means something else", () => {
  const empty = der(0x30);
  for (const [type, value, member] of [
    ["2.5.29.37", empty, "extendedKeyUsage"],
    ["2.5.29.37", text(0x05, ""), "extendedKeyUsage"],
    [san, empty, "subjectAlternativeNames"],
    ["1.3.6.1.4.1.311.21.7", empty, "template"],
  ] as const) {
    const { found, problems } = withExtension(type, value);
    assert.equal(member in found, false, `${member} of ${type}`);
    assert.equal(problems.length, 1, problems.join());
  }
});
