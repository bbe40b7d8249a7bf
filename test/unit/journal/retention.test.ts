import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Deletion,
  planDeletions,
  type RetentionPolicy,
  type SinkCursor,
  withWriterLimits,
} from "../../../src/journal/retention.ts";
import type { NativeSegment } from "../../../src/native/addon.ts";

const day = 86_400_000;
const mebibyte = 2 ** 20;
const now = 100 * day;
const epochId = "0".repeat(31);
const policy: RetentionPolicy = {
  replayWindowMs: 7 * day,
  maxBytes: 1000 * mebibyte,
  minFreeBytes: 200 * mebibyte,
};

function segment(
  epochNumber: number,
  index: number,
  ageDays: number,
  mebibytes = 100,
): NativeSegment {
  return {
    name: `e${epochNumber}-s${index}`,
    bytes: mebibytes * mebibyte,
    epochNumber,
    epochId: `${epochId}${epochNumber}`,
    segment: index,
    firstSequence: 1n,
    startedMs: now - ageDays * day,
    isWriters: false,
    maxJournalBytes: 0,
    minFreeBytes: 0,
  };
}

function cursor(sink: string, epochNumber: number, index: number, id = `${epochId}${epochNumber}`) {
  return {
    sink,
    position: { epochNumber, epochId: id, segment: index, offset: 4096, sequence: 1n },
  };
}

function plan(
  segments: readonly NativeSegment[],
  cursors: readonly SinkCursor[],
  { free = 10_000, spare = 0 } = {},
): Deletion[] {
  const journalBytes = segments.reduce((sum, { bytes }) => sum + bytes, spare * mebibyte);
  const freeBytes = free * mebibyte;
  return planDeletions(segments, cursors, {
    policy,
    space: { journalBytes, freeBytes },
    nowMs: now,
  });
}

function names(deletions: readonly Deletion[]): string[] {
  return deletions.map(({ segment: { name } }) => name);
}

function described(deletions: readonly Deletion[]): unknown[] {
  return deletions.map(({ segment: { name }, reason, losers }) => [name, reason, losers]);
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
  assert.deepEqual(names(plan(segments, cursors)), ["e1-s0", "e1-s1"]);
});

test("a sink that is done with an epoch has passed its last segment too", () => {
  const segments = [segment(1, 0, 20), segment(1, 1, 20), segment(2, 0, 8)];
  const { sink, position } = cursor("a", 1, 2);
  const done = { sink, position: { ...position, offset: 0 } };
  assert.deepEqual(names(plan(segments, [done])), ["e1-s0", "e1-s1"]);
});

test("a lagging sink pins its segments, and one without a checkpoint pins all", () => {
  const segments = [segment(1, 0, 20), segment(1, 1, 20), segment(1, 2, 20)];
  assert.deepEqual(names(plan(segments, [cursor("a", 1, 1)])), ["e1-s0"]);
  assert.deepEqual(plan(segments, [{ sink: "a", position: null }]), []);
});

test("near the cap the oldest segments go down to 80 %, and the sinks that lose them are named", () => {
  const segments = Array.from({ length: 9 }, (_, index) => segment(1, index, 0));
  const cursors = [cursor("slow", 1, 0), cursor("fast", 1, 8)];
  assert.deepEqual(described(plan(segments, cursors)), [["e1-s0", "cap", ["slow"]]]);
  assert.deepEqual(plan(segments.slice(1), cursors), []);
});

test("files that the writer has prepared count towards the cap", () => {
  const segments = Array.from({ length: 8 }, (_, index) => segment(1, index, 0));
  assert.deepEqual(names(plan(segments, [cursor("a", 1, 7)], { spare: 90 })), ["e1-s0"]);
});

test("near the free-space floor only segments that every sink has go before the replay window is over", () => {
  const segments = Array.from({ length: 5 }, (_, index) => segment(1, index, 0));
  const cursors = [cursor("a", 1, 1), cursor("b", 1, 4)];
  assert.deepEqual(described(plan(segments, cursors, { free: 265 })), [["e1-s0", "space", []]]);
  assert.deepEqual(plan(segments, cursors, { free: 280 }), []);
});

test("with a small floor published segments go while the writer still has space for its next ones", () => {
  const own = { ...policy, minFreeBytes: 0 };
  const segments = Array.from({ length: 7 }, (_, index) => segment(1, index, 0, 20));
  const planned = (free: number) =>
    planDeletions(segments, [cursor("a", 1, 6)], {
      policy: own,
      space: { journalBytes: 140 * mebibyte, freeBytes: free * mebibyte },
      nowMs: now,
    });
  // The largest segment is that of a record of 16 MiB.
  assert.deepEqual(described(planned(32)), [["e1-s0", "space", []]]);
  assert.deepEqual(planned(33), []);
});

test("the segment that the writer is in never goes, whatever the size", () => {
  const segments = [segment(3, 0, 50, 5000)];
  assert.deepEqual(plan(segments, [cursor("a", 3, 1)]), []);
});

test("a cursor of an epoch that is not in the directory has passed nothing", () => {
  const segments = [segment(1, 0, 50), segment(1, 1, 50)];
  for (const number of [1, 9]) {
    const cursors = [cursor("a", number, 1, "f".repeat(32))];
    assert.deepEqual(plan(segments, cursors), []);
  }
});

test("the segment that the writer is in stays, even if others have a higher number", () => {
  const mine = (index: number) => ({ ...segment(1, index, 20), isWriters: true });
  const segments = [mine(0), mine(1), segment(9, 0, 20), segment(9, 1, 20)];
  assert.deepEqual(names(plan(segments, [])), ["e1-s0"]);
});

test("the limits of the exit module apply where they are stricter", () => {
  const limits = (maxJournalBytes: number, minFreeBytes: number) => {
    const recorded = {
      ...segment(2, 0, 1),
      maxJournalBytes: maxJournalBytes * mebibyte,
      minFreeBytes: minFreeBytes * mebibyte,
    };
    const { maxBytes, minFreeBytes: floor } = withWriterLimits(policy, [
      recorded,
      segment(1, 0, 2),
    ]);
    return [maxBytes / mebibyte, floor / mebibyte];
  };
  assert.deepEqual(limits(0, 0), [1000, 200]);
  assert.deepEqual(limits(999, 201), [999, 201]);
  assert.deepEqual(limits(1001, 199), [1000, 200]);
  const writers = { ...segment(1, 0, 2), isWriters: true, maxJournalBytes: 500 };
  const copied = { ...segment(9, 0, 1), maxJournalBytes: 10 };
  assert.equal(withWriterLimits(policy, [writers, copied]).maxBytes, 500);
});
