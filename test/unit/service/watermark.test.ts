import assert from "node:assert/strict";
import { test } from "node:test";
import { Watermark } from "../../../src/service/watermark.ts";

test("a watermark reports each rise to its mark once, and again only after a fall below the lower one", () => {
  const mark = new Watermark(80, 70);
  const crossings = [10, 79, 80, 95, 81, 75, 85, 70, 79, 80].map((value) =>
    mark.isCrossedBy(value),
  );
  assert.deepEqual(
    crossings.flatMap((isCrossed, index) => (isCrossed ? [index] : [])),
    [2, 9],
  );
});
