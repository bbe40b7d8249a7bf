import assert from "node:assert/strict";
import { test } from "node:test";
import { nextPlace } from "../../../src/journal/next-place.ts";
import { listSegments, startOf } from "../../../src/journal/segments.ts";
import {
  flushed,
  journalDirectory,
  label,
  openSmall,
  readAll,
  record,
} from "../../support/small-journal.ts";

/** Records events in an epoch of their own. */
async function epoch(directory: string, first: number, last: number, isSealed = true) {
  const simulator = openSmall(directory);
  record(simulator, first, last);
  await flushed(simulator);
  if (isSealed) simulator.shutdown();
  simulator.close();
}

async function placesOf(directory: string) {
  const frames = await readAll(directory);
  const segments = await listSegments(directory);
  const placeBehind = async (what: number | string) => {
    const frame = frames.find((each) => label(each) === what);
    assert.ok(frame);
    return nextPlace(directory, segments, frame.position);
  };
  return { placeBehind, segments };
}

test("after the last record of a sealed epoch the next place is the start of the next epoch", async (context) => {
  const directory = journalDirectory(context);
  await epoch(directory, 1, 5);
  await epoch(directory, 6, 10);
  const { placeBehind, segments } = await placesOf(directory);
  assert.deepEqual(await placeBehind(5), startOf(segments.at(-1)!));
  assert.equal(await placeBehind(4), null, "a record is left");
  assert.equal(await placeBehind(10), null, "nobody knows what comes");
});

test("after the last record of a segment the next place is the start of the next segment", async (context) => {
  const directory = journalDirectory(context);
  await epoch(directory, 1, 150);
  const { placeBehind, segments } = await placesOf(directory);
  const second = segments[1]!;
  // The EPOCH frame has number 1, so request n has number n + 1.
  const first = Number(second.firstSequence) - 1;
  assert.deepEqual(await placeBehind(first - 1), startOf(second));
  assert.equal(await placeBehind(first - 2), null);
});

test("the end of an epoch that was not sealed is reported at the old place", async (context) => {
  const directory = journalDirectory(context);
  await epoch(directory, 1, 5, false);
  await epoch(directory, 6, 10);
  const { placeBehind, segments } = await placesOf(directory);
  assert.equal(await placeBehind(5), null);
  assert.deepEqual(await placeBehind("gap unclean-stop 7-?"), startOf(segments.at(-1)!));
});
