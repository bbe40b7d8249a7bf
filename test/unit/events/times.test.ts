import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { filetimeOf, filetimeText, oleDateText } from "../../../src/events/times.ts";
import { scaled } from "../../support/scale.ts";

function ole(days: number): string | undefined {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(days);
  return oleDateText(bytes);
}

test("a time is written as a Date writes it, whatever was written before", () => {
  const day = 86_400_000;
  const ms = fc.oneof(
    fc.integer({ min: Date.UTC(1601, 0, 1), max: Date.UTC(9999, 11, 31) }),
    // Days that share a place among those that are kept.
    fc.integer({ min: -8, max: 8 }).map((number) => number * 64 * day + (number & 1)),
    fc.integer({ min: -2 * day, max: 2 * day }),
  );
  fc.assert(
    fc.property(ms, (each) => {
      assert.equal(filetimeText(filetimeOf(each)), new Date(each).toISOString());
    }),
    { numRuns: scaled(2_000) },
  );
});

test("an OLE date is a time from year 100 to 9999, and nothing beyond", () => {
  assert.equal(ole(0), "1899-12-30T00:00:00.000Z");
  assert.equal(ole(-1.25), "1899-12-29T06:00:00.000Z");
  assert.equal(ole(-657_434), "0100-01-01T00:00:00.000Z");
  assert.equal(ole(2_958_465.999_999_999), "9999-12-31T23:59:59.999Z");
  for (const days of [2_958_466, -657_435, Number.NaN, Infinity, -Infinity, 1e300]) {
    assert.equal(ole(days), undefined, String(days));
  }
});

test("any 8 bytes are a date with a year of four digits, or not a date", () => {
  const bytes = fc.uint8Array({ minLength: 8, maxLength: 8 });
  const nearby = fc.double({ min: -657_440, max: 2_958_470 });
  fc.assert(
    fc.property(fc.oneof(bytes, nearby), (value) => {
      const text = typeof value === "number" ? ole(value) : oleDateText(Buffer.from(value));
      if (text !== undefined) assert.match(text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    }),
  );
});

test("any FILETIME is a time with a year of four digits", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (filetime) => {
      assert.match(filetimeText(filetime), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    }),
  );
});

test("a FILETIME is cut off to the millisecond, before 1970 too", () => {
  assert.equal(filetimeText(134_168_400_001_239_999n), "2026-03-01T12:00:00.123Z");
  assert.equal(filetimeText(0n), "1601-01-01T00:00:00.000Z");
  assert.equal(filetimeText(9_999n), "1601-01-01T00:00:00.000Z");
  assert.equal(filetimeText(116_444_735_999_999_999n), "1969-12-31T23:59:59.999Z");
  assert.equal(filetimeText(2n ** 64n - 1n), "9999-12-31T23:59:59.999Z");
});
