import assert from "node:assert/strict";
import { test } from "node:test";
import { RepeatedValues, repetitionCounts } from "../../src/repeated-values.ts";

test("a value is found by its whole key, and finds are counted", () => {
  const values = new RepeatedValues<number>();
  const before = repetitionCounts();
  values.keep("a", 1);
  values.keep("b", 2);
  assert.equal(values.get("a"), 1);
  assert.equal(values.get("b"), 2);
  assert.equal(values.get("ab"), undefined);
  const after = repetitionCounts();
  assert.equal(after.found - before.found, 2);
  assert.equal(after.missed - before.missed, 1);
});

test("keys that never come again push out neither what is used between them, nor themselves grow without limit", () => {
  const values = new RepeatedValues<number>();
  const keys = Array.from({ length: 10_000 }, (_, number) => `key ${number}`);
  values.keep("used", -1);
  for (const [number, key] of keys.entries()) {
    values.keep(key, number);
    assert.equal(values.get("used"), -1);
  }
  const kept = keys.filter((key) => values.get(key) !== undefined);
  assert.ok(kept.length > 0 && kept.length <= 512, `${kept.length} are kept`);
});

test("long keys are limited by their length, and a very long one is not kept", () => {
  const values = new RepeatedValues<number>();
  const long = (number: number) => String(number).padEnd(1024, "x");
  for (let number = 0; number < 1000; number += 1) values.keep(long(number), number);
  const kept = Array.from({ length: 1000 }, (_, number) => values.get(long(number))).filter(
    (value) => value !== undefined,
  );
  assert.ok(kept.length > 0 && kept.length <= 130, `${kept.length} are kept`);
  values.keep("x".repeat(1025), 1);
  assert.equal(values.get("x".repeat(1025)), undefined);
});
