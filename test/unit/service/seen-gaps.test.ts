import assert from "node:assert/strict";
import { test } from "node:test";
import { SeenGaps } from "../../../src/service/seen-gaps.ts";

test("a gap that several sinks read counts once, and different gaps of a reason count each", () => {
  const seen = new SeenGaps();
  seen.take("a/1/0", "corrupt");
  seen.take("a/1/0", "corrupt");
  assert.deepEqual([...seen.counts], [["corrupt", 1]]);
  seen.take("a/9/0", "corrupt");
  seen.take("a/9/1", "retention");
  seen.take("a/9/2", { hostile: true });
  assert.deepEqual(
    [...seen.counts],
    [
      ["corrupt", 2],
      ["retention", 1],
      ["other", 1],
    ],
  );
});

test("the ids of the newest gaps are kept only, and the counts of all", () => {
  const seen = new SeenGaps(10);
  for (let sequence = 1; sequence <= 1000; sequence += 1) seen.take(`a/${sequence}/0`, "corrupt");
  for (let sequence = 991; sequence <= 1000; sequence += 1) seen.take(`a/${sequence}/0`, "corrupt");
  assert.deepEqual([...seen.counts], [["corrupt", 1000]]);
});
