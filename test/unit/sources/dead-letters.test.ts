import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { frameTypes } from "../../../src/journal/frame.ts";
import { eventsOfLetter, readDeadLetters } from "../../../src/sources/dead-letters.ts";
import { deadRecord, frameOf as frameOfRecord } from "../../../src/state/dead-letter.ts";
import {
  deleteDeadLetters,
  type OpenDeadLetters,
  openDeadLetters,
  totalBytes,
} from "../../../src/state/dead-letter-files.ts";
import {
  encodeCbor,
  encodeRecord,
  eventContext,
  eventsOfFrame,
  frameOf,
} from "../../support/exit-records.ts";
import { temporaryDirectory } from "../../support/run-cli.ts";
import { sampleEvent } from "../../support/sample-events.ts";

const head = { time: "2026-01-31T12:00:00.000Z", sink: "a", message: "refused" };
const letterOf = (number: number) => ({ ...head, reason: "rejected", event: sampleEvent(number) });
const line = (value: object) => `${JSON.stringify(value)}\n`;

/** Opens a directory of dead letters with these files; closes them after the test. */
async function opened(context: TestContext, files: Readonly<Record<string, string>>) {
  const directory = temporaryDirectory(context);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  const found = await openDeadLetters(directory);
  context.after(() => Promise.all(found.map(({ handle }) => handle.close())));
  return { directory, found };
}

async function idsOf(files: readonly OpenDeadLetters[]) {
  const ids: string[] = [];
  const others: string[] = [];
  for await (const each of readDeadLetters(files, new AbortController().signal)) {
    if ("place" in each) others.push(each.place.replace(/^.*\//, ""));
    else ids.push(each.id);
  }
  return { ids, others };
}

test("the files of a sink are read from the oldest one, and the current one last", async (context) => {
  const { found } = await opened(context, {
    "a.ndjson": line(letterOf(4)),
    "a.10.ndjson": line(letterOf(3)),
    "a.2.ndjson": line(letterOf(2)),
    "a.1.ndjson": line(letterOf(1)),
    "notes.txt": "not a dead letter",
  });
  const { ids } = await idsOf(found);
  assert.deepEqual(
    ids,
    [1, 2, 3, 4].map((number) => sampleEvent(number).id),
  );
});

test("what is appended to a file, and its new name, change nothing for a reader", async (context) => {
  const { directory, found } = await opened(context, { "a.ndjson": line(letterOf(1)) });
  appendFileSync(join(directory, "a.ndjson"), line(letterOf(2)));
  renameSync(join(directory, "a.ndjson"), join(directory, "a.1.ndjson"));
  writeFileSync(join(directory, "a.ndjson"), line(letterOf(3)));
  assert.deepEqual((await idsOf(found)).ids, [sampleEvent(1).id]);
});

test("lines that Certwire did not write are named and left out", async (context) => {
  const strangers = [
    line(letterOf(1)).slice(0, 200).concat("\n"),
    "<html>\n",
    "[1]\n",
    line({ ...head, reason: "because", event: sampleEvent(2) }),
    line({ ...letterOf(3), event: { ...sampleEvent(3), id: "" } }),
    line({ ...letterOf(4), sink: 7 }),
    line({ ...letterOf(4), sink: "a\nb" }),
    line({ ...letterOf(4), time: "yesterday" }),
    line({ ...letterOf(4), event: { ...sampleEvent(4), id: "x".repeat(5000) } }),
    line({ ...head, reason: "undecodable", record: { deep: [[[]]] } }),
  ];
  const { found } = await opened(context, {
    "a.ndjson": `${strangers.join("")}${line(letterOf(5))}`,
  });
  const { ids, others } = await idsOf(found);
  assert.deepEqual(ids, [sampleEvent(5).id]);
  assert.deepEqual(
    others,
    strangers.map((_, number) => `a.ndjson:${number + 1}`),
  );
});

test("a line that is not UTF-8 is left out, so that no damaged event is published under its old id", async (context) => {
  const directory = temporaryDirectory(context);
  const damaged = Buffer.from(line(letterOf(1)));
  damaged[damaged.indexOf("request/1")] = 0xff;
  writeFileSync(
    join(directory, "a.ndjson"),
    Buffer.concat([damaged, Buffer.from(line(letterOf(2)))]),
  );
  const found = await openDeadLetters(directory);
  context.after(() => Promise.all(found.map(({ handle }) => handle.close())));
  const { ids, others } = await idsOf(found);
  assert.deepEqual([ids, others], [[sampleEvent(2).id], ["a.ndjson:1"]]);
});

test("a file that cannot be a text is named, and the next one is read", async (context) => {
  const { found } = await opened(context, {
    "a.ndjson": `\u0000{\n${line(letterOf(1))}`,
    "b.ndjson": line(letterOf(2)),
  });
  const { ids, others } = await idsOf(found);
  assert.deepEqual([ids, others], [[sampleEvent(2).id], ["a.ndjson:1"]]);
});

test("a link in the place of a file is not followed, and no directory is no dead letters", async (context) => {
  const directory = temporaryDirectory(context);
  writeFileSync(join(directory, "elsewhere"), line(letterOf(1)));
  mkdirSync(join(directory, "letters"));
  symlinkSync(join(directory, "elsewhere"), join(directory, "letters", "a.ndjson"));
  assert.deepEqual(await openDeadLetters(join(directory, "letters")), []);
  assert.deepEqual(await openDeadLetters(join(directory, "missing")), []);
});

test("a file is deleted if it is as it was when it was opened, and kept if it has grown", async (context) => {
  const { directory, found } = await opened(context, {
    "a.ndjson": line(letterOf(1)),
    "b.ndjson": line(letterOf(2)),
  });
  appendFileSync(join(directory, "b.ndjson"), line(letterOf(3)));
  const deleted = await Promise.all(found.map((file) => deleteDeadLetters(file)));
  assert.deepEqual(deleted, [true, false]);
  const left = await openDeadLetters(directory);
  context.after(() => Promise.all(left.map(({ handle }) => handle.close())));
  assert.deepEqual((await idsOf(left)).ids, [sampleEvent(2).id, sampleEvent(3).id]);
  const bytes = await totalBytes(join(directory, "b.ndjson"));
  assert.equal(bytes, 2 * line(letterOf(2)).length, "the file that stays counts for the limit");
});

test("a record that can now be decoded keeps the ids that its events always had", () => {
  const record = frameOf(encodeRecord({ event: 1 }));
  const gap = frameOf(encodeCbor({ reason: "corrupt" }), { type: frameTypes.gap, index: 65_535 });
  const future = frameOf(encodeRecord({ event: 1 }), { schema: 2 });
  const decode = (frame: typeof record) => {
    const letter = { ...head, reason: "undecodable" as const, record: deadRecord(frame) };
    return eventsOfLetter(letter, eventContext()).map(({ id, replayed }) => [id, replayed]);
  };
  const expected = (frame: typeof record) =>
    eventsOfFrame(frame, eventContext()).map(({ id }) => [id, true]);
  assert.deepEqual(decode(record), expected(record));
  assert.deepEqual(decode(gap), expected(gap));
  assert.deepEqual(decode(future), []);
  assert.ok(frameOfRecord(deadRecord(gap)));
});
