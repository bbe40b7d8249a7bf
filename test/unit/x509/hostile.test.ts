import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCertificate } from "../../../src/x509/certificate.ts";
import { certificate, der, extension, extensions, oid, text } from "../../support/build-der.ts";

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
