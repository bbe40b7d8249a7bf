import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCertificate } from "../../../src/x509/certificate.ts";
import { parseCrl } from "../../../src/x509/crl.ts";
import {
  algorithm,
  certificate,
  der,
  extension,
  extensions,
  name,
  oid,
  text,
} from "../../support/build-der.ts";

const time = (year: string) => text(0x17, `${year}0101000000Z`);
const dns = (value: string) => text(0x82, value);
const san = "2.5.29.17";

function parsed(...rest: Buffer[]) {
  const { certificate: found, problems } = parseCertificate(certificate(rest));
  return { found, problems: problems.map(({ part, reason }) => `${part}: ${reason}`) };
}

const withExtension = (...args: Parameters<typeof extension>) =>
  parsed(extensions(extension(...args)));

/** A CRL; `rest` stands after its first date. */
function crl(...rest: Buffer[]) {
  const tbs = der(0x30, text(0x02, "\x01"), algorithm, name(text(0x0c, "x")), time("25"), ...rest);
  const { crl: found, problems } = parseCrl(der(0x30, tbs, algorithm, der(0x03, Buffer.alloc(2))));
  return { found, problems: problems.map(({ part, reason }) => `${part}: ${reason}`) };
}

const crlNumber = der(0xa0, der(0x30, extension("2.5.29.20", text(0x02, "\x07"))));
const entry = der(0x30, text(0x02, "\x01"), time("25"));

test("an element that nobody expects does not hide the extensions of a certificate", () => {
  const names = der(0xa3, der(0x30, extension(san, der(0x30, dns("a.example")))));
  const { found, problems } = parsed(text(0xa1, ""), names);
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
  const cases: readonly (readonly [string, ReturnType<typeof parsed>])[] = [
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
    ["2.5.29.32", empty, "certificatePolicies"],
    ["2.5.29.32", text(0x05, ""), "certificatePolicies"],
    [san, empty, "subjectAlternativeNames"],
    ["1.3.6.1.4.1.311.21.7", empty, "template"],
  ] as const) {
    const { found, problems } = withExtension(type, value);
    assert.equal(member in found, false, `${member} of ${type}`);
    assert.equal(problems.length, 1, problems.join());
  }
});

test("issuance policies are read without their qualifiers, and a broken one hides no other", () => {
  const notice = der(0x30, der(0x30, oid("1.3.6.1.5.5.7.2.1"), text(0x16, "http://a.example")));
  const policies = [
    der(0x30, oid("2.23.140.1.2.1")),
    oid("1.2.3"),
    der(0x30, oid("1.3.6.1.4.1.311.21.8.1.2.402"), notice),
  ];
  const { found, problems } = withExtension("2.5.29.32", der(0x30, ...policies));
  assert.deepEqual(found.certificatePolicies, ["2.23.140.1.2.1", "1.3.6.1.4.1.311.21.8.1.2.402"]);
  assert.equal(problems.length, 1);
  assert.match(problems[0] ?? "", /^2\.5\.29\.32\[1\]: /);
});
