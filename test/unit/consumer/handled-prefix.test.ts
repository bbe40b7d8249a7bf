import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HandledPrefix } from "../../../src/consumer/handled-prefix.ts";

test("the prefix ends before the first message that is not handled, in any order of handling", () => {
  const gaps = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 60 });
  const offsetsInAnyOrder = gaps.chain((steps) => {
    let at = 0n;
    const offsets = steps.map((step) => (at += BigInt(step)));
    return fc.tuple(
      fc.constant(offsets),
      fc.shuffledSubarray(offsets, { minLength: offsets.length }),
    );
  });
  fc.assert(
    fc.property(offsetsInAnyOrder, ([offsets, order]) => {
      const prefix = new HandledPrefix();
      for (const offset of offsets) prefix.add(offset);
      const handled = new Set<bigint>();
      for (const offset of order) {
        prefix.handled(offset);
        handled.add(offset);
        const end = offsets.findIndex((each) => !handled.has(each));
        const count = end === -1 ? offsets.length : end;
        assert.equal(prefix.last, offsets[count - 1]);
        assert.equal(prefix.outstanding, offsets.length - count);
      }
    }),
  );
});

test("messages that go on for long are forgotten once they are handled", () => {
  const prefix = new HandledPrefix();
  for (let offset = 0n; offset < 10_000n; offset += 1n) {
    prefix.add(offset);
    if (offset >= 10n) prefix.handled(offset - 10n);
  }
  assert.equal(prefix.last, 9989n);
  assert.equal(prefix.outstanding, 10);
});

test("a message that is delivered twice counts once", () => {
  const prefix = new HandledPrefix();
  for (const offset of [1n, 1n, 2n, 3n]) prefix.add(offset);
  prefix.handled(1n);
  prefix.add(1n);
  prefix.handled(2n);
  prefix.add(2n);
  prefix.handled(3n);
  prefix.handled(2n);
  assert.equal(prefix.last, 3n);
  assert.equal(prefix.outstanding, 0);
});
