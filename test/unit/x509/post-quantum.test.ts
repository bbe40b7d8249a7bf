import assert from "node:assert/strict";
import { test } from "node:test";
import { DerReport } from "../../../src/x509/der-report.ts";
import { algorithmNames } from "../../../src/x509/oid-names.ts";
import { postQuantumSets } from "../../../src/x509/post-quantum.ts";
import { readPublicKey } from "../../../src/x509/public-key.ts";
import { DerReader } from "../../../src/x509/reader.ts";
import { der, oid } from "../../support/build-der.ts";

/** FIPS 203 table 3, FIPS 204 table 2, FIPS 205 table 2; the OIDs from NIST's register. */
const expected: readonly (readonly [oid: string, name: string, bytes: number, category: number])[] =
  [
    ["2.16.840.1.101.3.4.4.1", "ML-KEM-512", 800, 1],
    ["2.16.840.1.101.3.4.4.2", "ML-KEM-768", 1184, 3],
    ["2.16.840.1.101.3.4.4.3", "ML-KEM-1024", 1568, 5],
    ["2.16.840.1.101.3.4.3.17", "ML-DSA-44", 1312, 2],
    ["2.16.840.1.101.3.4.3.18", "ML-DSA-65", 1952, 3],
    ["2.16.840.1.101.3.4.3.19", "ML-DSA-87", 2592, 5],
    ["2.16.840.1.101.3.4.3.20", "SLH-DSA-SHA2-128s", 32, 1],
    ["2.16.840.1.101.3.4.3.21", "SLH-DSA-SHA2-128f", 32, 1],
    ["2.16.840.1.101.3.4.3.22", "SLH-DSA-SHA2-192s", 48, 3],
    ["2.16.840.1.101.3.4.3.23", "SLH-DSA-SHA2-192f", 48, 3],
    ["2.16.840.1.101.3.4.3.24", "SLH-DSA-SHA2-256s", 64, 5],
    ["2.16.840.1.101.3.4.3.25", "SLH-DSA-SHA2-256f", 64, 5],
    ["2.16.840.1.101.3.4.3.26", "SLH-DSA-SHAKE-128s", 32, 1],
    ["2.16.840.1.101.3.4.3.27", "SLH-DSA-SHAKE-128f", 32, 1],
    ["2.16.840.1.101.3.4.3.28", "SLH-DSA-SHAKE-192s", 48, 3],
    ["2.16.840.1.101.3.4.3.29", "SLH-DSA-SHAKE-192f", 48, 3],
    ["2.16.840.1.101.3.4.3.30", "SLH-DSA-SHAKE-256s", 64, 5],
    ["2.16.840.1.101.3.4.3.31", "SLH-DSA-SHAKE-256f", 64, 5],
    ["2.16.840.1.101.3.4.3.32", "HashML-DSA-44-SHA512", 1312, 2],
    ["2.16.840.1.101.3.4.3.33", "HashML-DSA-65-SHA512", 1952, 3],
    ["2.16.840.1.101.3.4.3.34", "HashML-DSA-87-SHA512", 2592, 5],
    ["2.16.840.1.101.3.4.3.35", "HashSLH-DSA-SHA2-128s-SHA256", 32, 1],
    ["2.16.840.1.101.3.4.3.36", "HashSLH-DSA-SHA2-128f-SHA256", 32, 1],
    ["2.16.840.1.101.3.4.3.37", "HashSLH-DSA-SHA2-192s-SHA512", 48, 3],
    ["2.16.840.1.101.3.4.3.38", "HashSLH-DSA-SHA2-192f-SHA512", 48, 3],
    ["2.16.840.1.101.3.4.3.39", "HashSLH-DSA-SHA2-256s-SHA512", 64, 5],
    ["2.16.840.1.101.3.4.3.40", "HashSLH-DSA-SHA2-256f-SHA512", 64, 5],
    ["2.16.840.1.101.3.4.3.41", "HashSLH-DSA-SHAKE-128s-SHAKE128", 32, 1],
    ["2.16.840.1.101.3.4.3.42", "HashSLH-DSA-SHAKE-128f-SHAKE128", 32, 1],
    ["2.16.840.1.101.3.4.3.43", "HashSLH-DSA-SHAKE-192s-SHAKE256", 48, 3],
    ["2.16.840.1.101.3.4.3.44", "HashSLH-DSA-SHAKE-192f-SHAKE256", 48, 3],
    ["2.16.840.1.101.3.4.3.45", "HashSLH-DSA-SHAKE-256s-SHAKE256", 64, 5],
    ["2.16.840.1.101.3.4.3.46", "HashSLH-DSA-SHAKE-256f-SHAKE256", 64, 5],
  ];

/** What is read of a key of the given size, and what is wrong with it. */
function keyOf(identifier: Buffer, bytes: number) {
  const reader = new DerReader(der(0x30, identifier, der(0x03, Buffer.alloc(1 + bytes))));
  const report = new DerReport("publicKey");
  const { sha256: _, ...key } = readPublicKey(reader, reader.next(), report);
  return { key, problems: report.problems };
}

for (const [type, name, bytes, securityCategory] of expected) {
  test(`a key of ${name} has its name, size and security category`, () => {
    const { key, problems } = keyOf(der(0x30, oid(type)), bytes);
    assert.deepEqual(key, { algorithm: { oid: type, name }, bits: bytes * 8, securityCategory });
    assert.deepEqual(problems, []);
    assert.equal(algorithmNames.get(type), name);
  });

  test(`a key of ${name} of another size has its own size, no security category, and a problem`, () => {
    for (const wrong of [0, 10, bytes - 1, bytes + 1]) {
      const { key, problems } = keyOf(der(0x30, oid(type)), wrong);
      assert.deepEqual(key, { algorithm: { oid: type, name }, bits: wrong * 8 });
      const reason = `key has ${wrong} bytes instead of ${bytes}`;
      assert.deepEqual(problems, [{ part: "publicKey", reason }]);
    }
  });
}

test("a key of an Edwards curve of another size is a problem", () => {
  for (const [type, bytes] of [
    ["1.3.101.110", 32],
    ["1.3.101.111", 56],
    ["1.3.101.112", 32],
    ["1.3.101.113", 57],
  ] as const) {
    const right = keyOf(der(0x30, oid(type)), bytes);
    assert.equal(right.key.bits, bytes * 8);
    assert.deepEqual(right.problems, []);
    const wrong = keyOf(der(0x30, oid(type)), 10);
    assert.equal(wrong.key.bits, 80);
    const reason = `key has 10 bytes instead of ${bytes}`;
    assert.deepEqual(wrong.problems, [{ part: "publicKey", reason }]);
  }
});

test("a point of another size than that of its curve is a problem", () => {
  const p521 = der(0x30, oid("1.2.840.10045.2.1"), oid("1.3.132.0.35"));
  for (const bytes of [67, 133]) assert.deepEqual(keyOf(p521, bytes).problems, []);
  const { key, problems } = keyOf(p521, 10);
  assert.deepEqual([key.curve, key.bits], ["P-521", 521]);
  const reason = "key has 10 bytes instead of 67 or 133";
  assert.deepEqual(problems, [{ part: "publicKey", reason }]);
});

test("no other parameter set is known", () => {
  assert.equal(postQuantumSets.size, expected.length);
});
