import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { NumberSet } from "../../../src/consumer/completeness/number-set.ts";
import { scaled, sizeFromEnvironment } from "../../support/scale.ts";

const numRuns = sizeFromEnvironment("CERTWIRE_MODEL_RUNS", scaled(200));

/** Numbers around the edges of blocks, some of them far away. */
const number = fc.oneof(
  fc.nat(70),
  fc.integer({ min: 4060, max: 4130 }),
  fc.integer({ min: 8190, max: 8194 }),
  fc.constantFrom(2 ** 32, 2 ** 40, Number.MAX_SAFE_INTEGER - 1),
);
const step = fc.oneof(
  { weight: 5, arbitrary: number.map((from) => ({ from, count: 1 })) },
  { weight: 1, arbitrary: fc.record({ from: number, count: fc.constantFrom(32, 4096, 9000) }) },
);

test("a set of numbers has what a Set has, in ascending ranges, also after it was saved", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const model = new Set<number>();
      let numbers = new NumberSet();
      for (const { from, count } of steps) {
        const to = Math.min(from + count - 1, Number.MAX_SAFE_INTEGER - 1);
        for (let each = from; each <= to; each += 1) {
          assert.equal(numbers.add(each), !model.has(each));
          model.add(each);
        }
        numbers = new NumberSet(JSON.parse(JSON.stringify(numbers)));
      }
      const sorted = [...model].toSorted((a, b) => a - b);
      assert.equal(numbers.first, sorted[0]);
      assert.equal(numbers.last, sorted.at(-1));
      const ranges = [...numbers.ranges()];
      const sizes = ranges.map(([from, to]) => to - from + 1);
      assert.equal(
        sizes.reduce((sum, size) => sum + size, 0),
        model.size,
      );
      for (const [at, [from, to]] of ranges.entries()) {
        assert.ok(model.has(from) && model.has(to) && numbers.has(from) && !numbers.has(to + 1));
        if (at > 0) assert.ok(from > (ranges[at - 1]?.[1] ?? 0) + 1);
      }
      const missing = [...numbers.missing(0, 9000)];
      const expected = Array.from({ length: 9001 }, (_, each) => each).filter(
        (each) => !model.has(each),
      );
      assert.deepEqual(
        missing.flatMap(([from, to]) =>
          Array.from({ length: to - from + 1 }, (_, each) => from + each),
        ),
        expected,
      );
    }),
    { numRuns },
  );
});
