import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCertificate } from "../../../src/x509/certificate.ts";
import { oidOctets } from "../../../src/x509/oid.ts";

const der = (tag: number, ...content: Buffer[]) => {
  const body = Buffer.concat(content);
  const length = Buffer.from([
    0x83,
    body.length >> 16,
    (body.length >> 8) & 0xff,
    body.length & 0xff,
  ]);
  return Buffer.concat([Buffer.from([tag]), length, body]);
};
const oid = (dotted: string) => der(0x06, oidOctets(dotted));
const text = (tag: number, value: string) => der(tag, Buffer.from(value, "latin1"));

const algorithm = der(0x30, oid("1.2.840.113549.1.1.11"));
const name = (commonName: Buffer) => der(0x30, der(0x31, der(0x30, oid("2.5.4.3"), commonName)));
const validity = der(0x30, text(0x17, "250101000000Z"), text(0x17, "260101000000Z"));
const publicKey = der(0x30, der(0x30, oid("1.3.101.112")), der(0x03, Buffer.alloc(33)));

const extension = (type: string, value: Buffer, ...more: Buffer[]) =>
  der(0x30, oid(type), der(0x04, value), ...more);
const extensions = (...members: Buffer[]) => der(0xa3, der(0x30, ...members));

/** A certificate of version 3; `rest` stands after its public key. */
function certificate(rest: Buffer[], subject = name(text(0x0c, "x"))): Buffer {
  const version = der(0xa0, text(0x02, "\x02"));
  const parts = [version, text(0x02, "\x05"), algorithm, name(text(0x0c, "ca"))];
  const tbs = der(0x30, ...parts, validity, subject, publicKey, ...rest);
  return der(0x30, tbs, algorithm, der(0x03, Buffer.alloc(2)));
}

function parsed(...args: Parameters<typeof certificate>) {
  const { certificate: found, problems } = parseCertificate(certificate(...args));
  return { found, problems: problems.map(({ part, reason }) => `${part}: ${reason}`) };
}

const san = "2.5.29.17";
const ntdsSecurity = "1.3.6.1.4.1.311.25.2";
const sid = (value: string) =>
  der(0xa0, oid("1.3.6.1.4.1.311.25.2.1"), der(0xa0, text(0x04, value)));
const badNames = (count: number) => Array.from({ length: count }, () => text(0x82, "\xfc"));

for (const count of [33, 1000]) {
  test(`${count} bad names do not hide a bad SID, and are counted`, () => {
    const { problems } = parsed([
      extensions(
        extension(san, der(0x30, ...badNames(count))),
        extension(ntdsSecurity, der(0x30, sid("S-1-5-21-1-2-3-500x"))),
      ),
    ]);
    assert.deepEqual(problems.slice(32), [
      `${ntdsSecurity}[0]: is not a SID`,
      `${ntdsSecurity}: has no SID`,
      `${san}: ${count - 32} more problems of this list are not named`,
    ]);
  });
}

test("the same extension many times hides neither another one nor its own first problems", () => {
  const { problems } = parsed([
    extensions(
      ...Array.from({ length: 40 }, () => extension(san, der(0x30, ...badNames(40)))),
      extension(ntdsSecurity, der(0x30, sid("S-1-5-21-1-2-3-500x"))),
    ),
  ]);
  assert.ok(problems.includes(`${ntdsSecurity}[0]: is not a SID`));
  assert.ok(problems.includes(`${ntdsSecurity}: has no SID`));
  assert.deepEqual(problems.slice(-2), [
    `${san}: ${40 * 40 - 32} more problems of this list are not named`,
    `${san}: 7 more problems of this part are not named`,
  ]);
});

test("a value full of broken parts names the first problems of each, and counts all", () => {
  const bad = Array.from({ length: 50 }, () => Buffer.from([0x05, 0]));
  const types = [san, "2.5.29.37", ntdsSecurity];
  const subject = der(0x30, ...bad);
  const lists = types.map((type) => extension(type, der(0x30, ...bad)));
  const repeated = ["2.5.29.14", "2.5.29.15", "2.5.29.19", "2.5.29.35"].flatMap((type) =>
    Array.from({ length: 50 }, () => extension(type, Buffer.from([0x05, 0]))),
  );
  const { problems } = parsed([extensions(...bad, ...lists, ...repeated)], subject);
  assert.ok(problems.length < 256 + 20, `${problems.length}`);
  for (const part of [...types, "subject", "extensions"]) {
    assert.ok(
      problems.some((problem) => problem.startsWith(`${part}[0]: `)),
      part,
    );
    const [counted = ""] = problems.filter((problem) => problem.startsWith(`${part}: `)).slice(-1);
    const shown = problems.filter((problem) => problem.startsWith(`${part}[`)).length;
    if (part !== ntdsSecurity) assert.match(counted, new RegExp(`^${part}: ${50 - shown} more`));
  }
  assert.ok(problems.includes(`${ntdsSecurity}: has no SID`));
});
