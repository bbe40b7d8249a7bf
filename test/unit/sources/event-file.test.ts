import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { CaMemory } from "../../../src/events/ca-memory.ts";
import { frameTypes } from "../../../src/journal/frame.ts";
import { eventsOfFile } from "../../../src/sources/event-file.ts";
import { deadRecord } from "../../../src/state/dead-letter.ts";
import {
  encodeCbor,
  encodeRecord,
  eventContext,
  eventsOfFrame,
  frameOf,
} from "../../support/exit-records.ts";
import { temporaryDirectory } from "../../support/run-cli.ts";
import { sampleEvent } from "../../support/sample-events.ts";

function read(context: TestContext, ...lines: (object | string)[]) {
  const texts = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line)));
  return readBytes(context, Buffer.from(texts.join("\n")));
}

async function readBytes(context: TestContext, bytes: Buffer, maxLineBytes = 1e6) {
  const path = join(temporaryDirectory(context), "events.ndjson");
  writeFileSync(path, bytes);
  const [ids, skipped]: string[][] = [[], []];
  const { signal } = new AbortController();
  const skip = (what: string) => skipped?.push(what);
  const options = { events: {}, caMemory: new CaMemory(), skip, maxLineBytes };
  for await (const { id, replayed } of eventsOfFile(path, options, signal)) {
    assert.equal(replayed, true);
    ids?.push(id);
  }
  return { ids, skipped };
}

test("a torn line that a crash of the file sink left is skipped and counted", async (context) => {
  const [first, second] = [sampleEvent(1), sampleEvent(2)];
  const torn = JSON.stringify(second).slice(0, 100);
  const { ids, skipped } = await read(context, first, torn, second);
  assert.deepEqual(ids, [first.id, second.id]);
  assert.deepEqual(skipped, ["line"]);
});

test("a dead letter without an event is counted as a record that cannot be decoded", async (context) => {
  const letter = { sink: "a", reason: "undecodable", record: {} };
  const { ids, skipped } = await read(context, letter, { ...letter, event: sampleEvent(1) });
  assert.deepEqual(ids, [sampleEvent(1).id]);
  assert.deepEqual(skipped, ["record"]);
});

test("a record of a dead letter that can now be decoded keeps the id that it always had", async (context) => {
  const record = frameOf(encodeRecord({ event: 1 }));
  const gap = frameOf(encodeCbor({ reason: "corrupt" }), { type: frameTypes.gap, index: 65_535 });
  const future = frameOf(encodeRecord({ event: 1 }), { schema: 2 });
  const letters = [record, gap, future].map((frame) => ({
    sink: "a",
    reason: "undecodable",
    record: deadRecord(frame),
  }));
  const { ids, skipped } = await read(context, ...letters);
  const expected = [record, gap].flatMap((frame) => eventsOfFrame(frame, eventContext()));
  assert.deepEqual(
    ids,
    expected.map(({ id }) => id),
  );
  assert.deepEqual(skipped, ["record"]);
});

const strangers: [string, object | string][] = [
  ["an event of another producer", { ...sampleEvent(1), type: "com.github.push.v1" }],
  ["an event without data", { ...sampleEvent(1), data: undefined }],
  ["an event without a time that is one", { ...sampleEvent(1), time: "yesterday" }],
  ["a file without any JSON", "<html>"],
];
for (const [title, line] of strangers) {
  test(`${title} is refused as CERTWIRE_EVENTS_INVALID`, async (context) => {
    await assert.rejects(read(context, line), { code: "CERTWIRE_EVENTS_INVALID" });
  });
}

/** Two events whose texts hold every character that some reader takes for the end of a line. */
const separated = [1, 2].map((number) => {
  const event = sampleEvent(number);
  return { ...event, data: { ...event.data, text: "a\u2028b\u2029c\u0085d\u000be" } };
});
const asText = separated.map((event) => `${JSON.stringify(event)}\n`).join("");

test("a line ends at a line feed only, on every version of Node", async (context) => {
  assert.ok(asText.includes("\u2028"), "JSON.stringify leaves U+2028 as it is");
  const { ids, skipped } = await readBytes(context, Buffer.from(asText));
  assert.deepEqual(ids, [sampleEvent(1).id, sampleEvent(2).id]);
  assert.deepEqual(skipped, []);
});

const marked = Buffer.from(`\uFEFF${asText.replaceAll("\n", "\r\n")}`, "utf16le");
const encodings: [string, Buffer][] = [
  ["UTF-8 with a byte order mark", Buffer.from(`\uFEFF${asText}`)],
  ["UTF-16LE with a byte order mark", marked],
  ["UTF-16BE with a byte order mark", Buffer.from(marked).swap16()],
];
for (const [title, bytes] of encodings) {
  test(`a file in ${title} is read whole`, async (context) => {
    const { ids, skipped } = await readBytes(context, bytes);
    assert.deepEqual([ids?.length, skipped], [2, []]);
  });
}

const named = Buffer.from(JSON.stringify({ ...sampleEvent(1), subject: "Müller" }), "latin1");
const refused: [string, Buffer, RegExp][] = [
  ["UTF-16 without a mark", marked.subarray(2), /UTF-16 without a byte order mark/],
  ["UTF-16 that is cut off", marked.subarray(0, -1), /damaged UTF-16LE/],
  ["Latin-1", named, /events\.ndjson:1: not UTF-8/],
];
for (const [title, bytes, message] of refused) {
  test(`a file in ${title} is refused, and its encoding is named`, async (context) => {
    const expected = { code: "CERTWIRE_EVENTS_INVALID", message };
    await assert.rejects(readBytes(context, bytes), expected);
  });
}

test("a line above the limit is an error with its number, and is never held whole", async (context) => {
  const text = `${JSON.stringify(sampleEvent(1))}\n${JSON.stringify(sampleEvent(2, "ca", 2e6))}\n`;
  const message = /line 2 is longer than 1000000 bytes/;
  await assert.rejects(readBytes(context, Buffer.from(text)), {
    code: "CERTWIRE_EVENTS_INVALID",
    message,
  });
});

const deep = `${'{"a":'.repeat(5000)}1${"}".repeat(5000)}`;
const { source: _source, ...sourceless } = sampleEvent(1);
const wrong: [string, object | string, RegExp][] = [
  ["without source", sourceless, /"source" is missing/],
  ["with an empty id", { ...sampleEvent(1), id: "" }, /"id" must be a text that is not empty/],
  ["with a number as sequence", { ...sampleEvent(1), sequence: 7 }, /"sequence" must be a text/],
  ["with a list as data", { ...sampleEvent(1), data: [] }, /"data" must be an object/],
  ["with null as subject", { ...sampleEvent(1), subject: null }, /"subject" must be a text/],
  ["with a date as time", { ...sampleEvent(1), time: "2026-01-31" }, /"time" must be a time/],
  ["with an object as extension", { ...sampleEvent(1), ext: { a: 1, data: 2 } }, /"ext" must be/],
  ["with an extension that has no name", { ...sampleEvent(1), "x-y": "a" }, /attribute's name/],
  [
    "that is nested 5,000 deep",
    JSON.stringify({ ...sampleEvent(1), data: { a: 1 } }).replace('{"a":1}', deep),
    /nested more than 64 levels/,
  ],
];
for (const [title, line, message] of wrong) {
  test(`an event ${title} is refused with its line and the reason`, async (context) => {
    await assert.rejects(read(context, sampleEvent(1), line), (error: Error) => {
      assert.match(error.message, /events\.ndjson:2: not a Certwire event/);
      assert.match(error.message, message);
      return true;
    });
  });
}
