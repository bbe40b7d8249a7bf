import assert from "node:assert/strict";
import { unlink } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { JournalFrame } from "../../../src/journal/frame.ts";
import { framesOf } from "../../../src/journal/journal-reader.ts";
import { listSegments } from "../../../src/journal/segments.ts";
import { loadNative, type NativeJournalReader } from "../../../src/native/addon.ts";
import {
  flushed,
  journalDirectory,
  label,
  openSmall,
  readAll,
  record,
} from "../../support/small-journal.ts";

/** A journal of two sealed epochs and a live one; request IDs count through all of them. */
async function threeEpochs(directory: string) {
  for (const [first, last] of [
    [1, 150],
    [151, 300],
    [301, 320],
  ] as const) {
    const simulator = openSmall(directory);
    record(simulator, first, last);
    await flushed(simulator);
    simulator.shutdown();
    simulator.close();
  }
  return readAll(directory);
}

async function deleteSegments(
  directory: string,
  isChosen: (epoch: number, index: number) => boolean,
) {
  for (const { name, epochNumber, segment } of await listSegments(directory)) {
    if (isChosen(epochNumber, segment)) await unlink(join(directory, name));
  }
}

function openReader(directory: string, maxBatchFrames: number): NativeJournalReader {
  return new (loadNative().JournalReader)({
    directory,
    quarantineDirectory: null,
    mode: "committed",
    position: null,
    maxBatchBytes: 1024 * 1024,
    maxBatchFrames,
  });
}

async function rest(reader: NativeJournalReader): Promise<JournalFrame[]> {
  const frames: JournalFrame[] = [];
  for (let batch = await reader.read(); batch; batch = await reader.read()) {
    frames.push(...framesOf(batch));
  }
  return frames;
}

/** Request IDs and gaps in the order of reading, runs of request IDs as one text. */
function story(frames: readonly JournalFrame[]): string[] {
  const parts: { first: number | string; last: number | string }[] = [];
  for (const text of frames.map(label)) {
    const run = parts.at(-1);
    if (run && typeof text === "number" && run.last === text - 1) run.last = text;
    else parts.push({ first: text, last: text });
  }
  return parts.map(({ first, last }) => (first === last ? String(first) : `${first} to ${last}`));
}

const firstEpoch = (epoch: number): boolean => epoch === 1;
const twoSegments = (epoch: number, index: number): boolean => epoch === 1 && index < 2;
const epochAndMore = (epoch: number, index: number): boolean =>
  epoch === 1 || (epoch === 2 && index < 2);

test("segments deleted under a reader are one gap, and it continues after them", async (context) => {
  const directory = journalDirectory(context);
  await threeEpochs(directory);
  const reader = openReader(directory, 10);
  assert.deepEqual(story(framesOf((await reader.read())!)), ["1 to 10"]);
  await deleteSegments(directory, twoSegments);
  const [remainder, gap, ...more] = story(await rest(reader));
  reader.close();
  // Where files stay readable while they are open, the reader ends its segment first.
  assert.match(remainder!, /^11 to \d+$/);
  const next = Number(/-(\d+)$/.exec(gap!)?.[1]);
  assert.match(gap!, /^gap missing-segment \d+-\d+$/);
  assert.deepEqual(more, [`${next} to 320`]);
});

test("an epoch deleted under a reader is one gap without an end", async (context) => {
  const directory = journalDirectory(context);
  await threeEpochs(directory);
  const reader = openReader(directory, 10);
  await reader.read();
  await deleteSegments(directory, firstEpoch);
  const [remainder, gap, ...more] = story(await rest(reader));
  reader.close();
  assert.match(remainder!, /^11 to \d+$/);
  assert.match(gap!, /^gap retention \d+-\?$/);
  assert.deepEqual(more, ["151 to 320"]);
});

for (const [what, isDeleted, gap, next] of [
  ["segment", twoSegments, /^gap retention 8-\d+$/, undefined],
  ["epoch", firstEpoch, /^gap retention 8-\?$/, 151],
  ["epoch and the beginning of the next", epochAndMore, /^gap retention 8-\?$/, undefined],
] as const) {
  test(`a reader that starts in a deleted ${what} gets one gap first`, async (context) => {
    const directory = journalDirectory(context);
    const all = await threeEpochs(directory);
    await deleteSegments(directory, isDeleted);
    const oldest = (await readAll(directory)).map(label)[0];
    const [first, ...more] = story(await readAll(directory, all[5]!.position));
    assert.match(first!, gap);
    assert.deepEqual(more, [`${next ?? oldest} to 320`]);
  });
}

test("a reader that had everything of the deleted segments gets no gap", async (context) => {
  const directory = journalDirectory(context);
  const all = await threeEpochs(directory);
  await deleteSegments(directory, twoSegments);
  const oldest = Number((await readAll(directory)).map(label)[0]);
  const before = all.find((frame) => label(frame) === oldest - 1);
  const frames = await readAll(directory, before!.position);
  assert.deepEqual(story(frames), [`${oldest} to 320`]);
});
