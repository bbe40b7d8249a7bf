import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeRecord } from "../../../src/exit/decode-record.ts";
import { encodeCbor, encodeRecord, fixture } from "../../support/exit-records.ts";
import { scaled } from "../../support/scale.ts";

const undecodable = { code: "CERTWIRE_RECORD_UNDECODABLE" };

/** A record that differs from others in what stands before and after the CA. */
function recordOf(number: number, ca: object): Buffer {
  return encodeRecord({ context: number, request: { RequestID: number }, ca });
}

test("the properties of a CA that records repeat are read once, and keep no record in memory", () => {
  const ca = { Name: "Repeated CA", RawCACertificate: fixture("ca-rsa") };
  const records = [1, 2, 3].map((number) => decodeRecord(recordOf(number, ca)));
  const [first, second, third] = records.map((record) => record.ca);
  assert.deepEqual(second, first);
  assert.equal(third, second);
  const kept = second?.get("RawCACertificate");
  assert.ok(Buffer.isBuffer(kept) && kept.equals(ca.RawCACertificate));
  const payload = recordOf(4, ca);
  const before = decodeRecord(payload);
  payload.fill(0);
  assert.deepEqual(before.ca, first);
  assert.deepEqual(
    records.map(({ context }) => context),
    [1, 2, 3],
  );
});

test("properties that differ in a byte, a part or their end are those of their own record", () => {
  const name = fc.string({ unit: fc.constantFrom("a", "b", "é"), maxLength: 3 });
  const ca = fc.dictionary(
    fc.constantFrom("Name", "CAType", "MachineDNSName"),
    fc.oneof(name, fc.integer({ min: 0, max: 300 })),
  );
  fc.assert(
    fc.property(fc.array(ca, { minLength: 1, maxLength: 12 }), (all) => {
      for (const [number, each] of all.entries()) {
        const record = decodeRecord(recordOf(number, each));
        assert.deepEqual(Object.fromEntries(record.ca), { ...each });
        assert.equal(record.request.get("RequestID"), number);
      }
    }),
    { numRuns: scaled(300) },
  );
});

test("a payload that is cut off within known properties cannot be decoded", () => {
  const ca = { Name: "CA that is cut off" };
  const payload = encodeCbor({ ca });
  for (let times = 0; times < 3; times += 1) {
    decodeRecord(recordOf(times, ca));
    for (let end = 0; end < payload.length; end += 1) {
      assert.throws(() => decodeRecord(payload.subarray(0, end)), undecodable);
    }
  }
});

test("known properties count towards the limit of items", () => {
  const properties = (count: number) =>
    new Map(Array.from({ length: count }, (_, number) => [`P${number}`, number]));
  const ca = properties(6_000);
  decodeRecord(recordOf(1, ca));
  const record = { ca, request: properties(27_000) };
  for (let times = 0; times < 3; times += 1) {
    assert.throws(() => decodeRecord(encodeRecord(record)), undecodable);
    decodeRecord(recordOf(1, ca));
  }
});

test("keys that were read before are not taken for one another, however many there are", () => {
  for (let round = 0; round < 2; round += 1) {
    for (let at = 0; at < 8_000; at += 20) {
      const request = Object.fromEntries(
        Array.from({ length: 20 }, (_, number) => [`K${at + number}`, at + number]),
      );
      const record = decodeRecord(encodeRecord({ request }));
      assert.deepEqual(Object.fromEntries(record.request), request);
    }
  }
});

test("a key that is known, twice in a map or cut off, is an error as before", () => {
  decodeRecord(encodeRecord({ request: { Twice: 1 } }));
  const key = Buffer.from("655477696365", "hex");
  const one = Buffer.from([1]);
  const twice = Buffer.concat([Buffer.from([0xa2]), key, one, key, one]);
  assert.throws(() => decodeRecord(twice), /key Twice occurs twice/);
  assert.throws(
    () => decodeRecord(Buffer.concat([Buffer.from([0xa1]), key.subarray(0, 4)])),
    undecodable,
  );
});
