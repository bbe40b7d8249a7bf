import assert from "node:assert/strict";
import { test } from "node:test";
import type { NativeSegment } from "../../../src/journal/native.ts";
import { planDeletions, type RetentionPolicy } from "../../../src/journal/retention.ts";

const day = 86_400_000;
const now = 100 * day;
const epochId = "0".repeat(31);
const policy: RetentionPolicy = { replayWindowMs: 7 * day, maxBytes: 1000 };

function segment(epochNumber: number, index: number, ageDays: number, bytes = 100): NativeSegment {
  return {
    name: `e${epochNumber}-s${index}`,
    bytes,
    epochNumber,
    epochId: `${epochId}${epochNumber}`,
    segment: index,
    firstSequence: 1n,
    startedMs: now - ageDays * day,
  };
}

function cursor(sink: string, epochNumber: number, index: number, id = `${epochId}${epochNumber}`) {
  return {
    sink,
    position: { epochNumber, epochId: id, segment: index, offset: 4096, sequence: 1n },
  };
}

function names(plan: ReturnType<typeof planDeletions>): string[] {
  return plan.map(({ segment: { name } }) => name);
}

test("a segment goes once every sink has passed it and the replay window is over", () => {
  const segments = [
    segment(1, 0, 20),
    segment(1, 1, 15),
    segment(1, 2, 9),
    segment(1, 3, 3),
    segment(2, 0, 0),
  ];
  const cursors = [cursor("a", 2, 0), cursor("b", 1, 3)];
  assert.deepEqual(names(planDeletions(segments, cursors, policy, now)), ["e1-s0", "e1-s1"]);
});

test("a sink that is behind pins its segments, and one without a checkpoint pins all", () => {
  const segments = [segment(1, 0, 20), segment(1, 1, 20), segment(1, 2, 20)];
  assert.deepEqual(names(planDeletions(segments, [cursor("a", 1, 1)], policy, now)), ["e1-s0"]);
  assert.deepEqual(planDeletions(segments, [{ sink: "a", position: null }], policy, now), []);
});

test("near the cap the oldest segments go down to 80 %, and the sinks that lose them are named", () => {
  const segments = Array.from({ length: 10 }, (_, index) => segment(1, index, 0));
  const plan = planDeletions(segments, [cursor("slow", 1, 1), cursor("fast", 1, 9)], policy, now);
  assert.deepEqual(
    plan.map(({ segment: { name }, reason, losers }) => [name, reason, losers]),
    [
      ["e1-s0", "cap", []],
      ["e1-s1", "cap", ["slow"]],
    ],
  );
});

test("the segment that the writer is in never goes, whatever the size", () => {
  const segments = [segment(3, 0, 50, 5000)];
  assert.deepEqual(planDeletions(segments, [cursor("a", 3, 1)], policy, now), []);
});

test("a cursor of an epoch that is not in the directory has passed nothing", () => {
  const segments = [segment(1, 0, 50), segment(1, 1, 50)];
  for (const number of [1, 9]) {
    const cursors = [cursor("a", number, 1, "f".repeat(32))];
    assert.deepEqual(planDeletions(segments, cursors, policy, now), []);
  }
});
