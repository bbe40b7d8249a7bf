import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { frameTypes } from "../../../src/journal/frame.ts";
import { eventsOfFile } from "../../../src/sources/event-file.ts";
import { CaIdMemory } from "../../../src/state/ca-id-memory.ts";
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

async function read(context: TestContext, ...lines: (object | string)[]) {
  const path = join(temporaryDirectory(context), "events.ndjson");
  const texts = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line)));
  writeFileSync(path, texts.join("\n"));
  const [ids, skipped]: string[][] = [[], []];
  const { signal } = new AbortController();
  const skip = (what: string) => skipped?.push(what);
  const options = { events: {}, caIds: await CaIdMemory.read(undefined), skip };
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
