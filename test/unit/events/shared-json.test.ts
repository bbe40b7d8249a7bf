import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { jsonOfMembers, shared } from "../../../src/events/shared-json.ts";
import { scaled } from "../../support/scale.ts";

const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constant(undefined));

test("JSON in which values are shared is that of JSON.stringify, whichever are shared", () => {
  const member = fc.tuple(fc.string({ unit: "binary" }), value, fc.boolean());
  fc.assert(
    fc.property(fc.array(member, { maxLength: 8 }), (members) => {
      const holder = Object.fromEntries(members.map(([key, inner]) => [key, inner]));
      const expected = JSON.stringify(holder);
      for (const [, inner, isShared] of members) if (isShared) share(inner);
      assert.equal(jsonOfMembers(holder), expected);
    }),
    { numRuns: scaled(500) },
  );
});

/** Shares a value, or every other entry of a list. */
function share(inner: unknown): void {
  if (typeof inner !== "object" || inner === null) return;
  if (!Array.isArray(inner)) {
    shared(inner);
    return;
  }
  for (const [at, entry] of inner.entries()) if (at % 2 === 0) share(entry);
}

test("nobody can change a shared value, or what is in it", () => {
  const group = shared({ name: "a", list: [{ name: "b" }] });
  assert.throws(() => Object.assign(group, { name: "c" }), TypeError);
  assert.throws(() => Object.assign(group.list[0]!, { name: "c" }), TypeError);
  assert.throws(() => group.list.push({ name: "c" }), TypeError);
  assert.equal(shared(group), group);
  assert.equal(jsonOfMembers({ group }), '{"group":{"name":"a","list":[{"name":"b"}]}}');
});

test("what JSON.stringify throws is thrown", () => {
  assert.throws(() => jsonOfMembers({ a: 1n }), TypeError);
});
