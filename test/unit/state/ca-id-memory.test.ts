import assert from "node:assert/strict";
import {
  appendFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { CaIdentity } from "../../../src/events/ca-identity.ts";
import type { CaMemory } from "../../../src/events/ca-memory.ts";
import { frameTypes, type JournalFrame } from "../../../src/journal/frame.ts";
import { openJournalContext } from "../../../src/sources/journal-context.ts";
import { CaIdFile, openCaMemory, readCaMemory } from "../../../src/state/ca-id-memory.ts";
import {
  encodeCbor,
  encodeRecord,
  eventContext,
  eventsOfFrame,
  fixture,
  frameOf,
} from "../../support/exit-records.ts";
import { temporaryDirectory } from "../../support/run-cli.ts";
import {
  flushed,
  journalDirectory,
  openSmall,
  readAll,
  smallEvent,
} from "../../support/small-journal.ts";

const gap = encodeCbor({ reason: "corrupt" });
const gapAt = (sequence: bigint) => frameOf(gap, { type: frameTypes.gap, sequence });
const eventAt = (sequence: bigint, certificate: string) =>
  frameOf(encodeRecord({ ca: { RawCACertificate: fixture(certificate) } }), { sequence });

function sources(frames: readonly JournalFrame[], memory: CaMemory): (string | undefined)[] {
  const context = { options: {}, identity: new CaIdentity(memory) };
  return frames.map((frame) => eventsOfFrame(frame, context)[0]?.source);
}

function unfailing(error: unknown): never {
  throw error;
}

test("wherever reading begins anew, each event has the source it had before", async (context) => {
  const path = join(temporaryDirectory(context), "ca-ids.ndjson");
  const frames = [gapAt(1n), eventAt(2n, "ca-rsa"), gapAt(3n), eventAt(4n, "ca-ecdsa"), gapAt(5n)];
  const file = new CaIdFile(path, unfailing);
  const before = sources(frames, await openCaMemory(file));
  assert.equal(before[0], "urn:certwire:ca:unknown");
  assert.equal(new Set(before).size, 3);
  await file.pending;
  for (let first = 0; first < frames.length; first += 1) {
    const again = sources(frames.slice(first), await readCaMemory(path));
    assert.deepEqual(again, before.slice(first));
  }
});

test("an id is on disk when its write is no longer pending", async (context) => {
  const path = join(temporaryDirectory(context), "ca-ids.ndjson");
  const file = new CaIdFile(path, unfailing);
  const memory = await openCaMemory(file);
  for (const sequence of [1n, 2n, 3n]) memory.keep(gapAt(sequence), { id: `ca-${sequence}` });
  await file.pending;
  assert.equal(file.pending, undefined);
  const read = await readCaMemory(path);
  for (const sequence of [1n, 2n, 3n]) {
    assert.equal(read.seenAt(gapAt(sequence))?.id, `ca-${sequence}`);
  }
});

test("a line that a crash cut off costs nothing but itself", async (context) => {
  const path = join(temporaryDirectory(context), "ca-ids.ndjson");
  for (const [sequence, id] of [
    [1n, "first"],
    [9n, "second"],
  ] as const) {
    const file = new CaIdFile(path, unfailing);
    (await openCaMemory(file)).keep(gapAt(sequence), { id });
    await file.pending;
    appendFileSync(path, '{"epochId":"0123');
  }
  const read = await readCaMemory(path);
  assert.equal(read.seenAt(gapAt(8n))?.id, "first");
  assert.equal(read.seenAt(gapAt(9n))?.id, "second");
});

test("an id that cannot be written is reported, kept in memory, and written with the next", async (context) => {
  const state = join(temporaryDirectory(context), "state");
  const path = join(state, "ca-ids.ndjson");
  const errors: unknown[] = [];
  const file = new CaIdFile(path, (error) => errors.push(error));
  const memory = await openCaMemory(file);
  rmSync(state, { recursive: true });
  writeFileSync(state, "a file where the directory belongs");
  memory.keep(gapAt(1n), { id: "first" });
  await file.pending;
  assert.equal(errors.length, 1);
  assert.equal(memory.seenAt(gapAt(1n))?.id, "first");
  rmSync(state);
  memory.keep(gapAt(5n), { id: "second" });
  await file.pending;
  assert.equal((await readCaMemory(path)).seenAt(gapAt(2n))?.id, "first");
});

test("a write that failed is repeated with the next record, whatever else there is to write", async (context) => {
  const state = join(temporaryDirectory(context), "state");
  const path = join(state, "ca-ids.ndjson");
  const errors: unknown[] = [];
  const file = new CaIdFile(path, (error) => errors.push(error), 0);
  const memory = await openCaMemory(file);
  rmSync(state, { recursive: true });
  writeFileSync(state, "a file where the directory belongs");
  memory.keep(gapAt(1n), { id: "first", certificate: "ab" });
  await file.pending;
  assert.ok(errors.length > 0);
  rmSync(state);
  await file.pending;
  assert.equal(file.pending, undefined);
  const read = (await readCaMemory(path)).seenAt(gapAt(2n));
  assert.deepEqual([read?.id, read?.certificate], ["first", "ab"]);
});

test("a reader without a memory finds the CA at the start of the epoch it begins in", async (context) => {
  const directory = journalDirectory(context);
  const simulator = openSmall(directory);
  const withCa = smallEvent(1);
  withCa.request["RawCACertificate"] = { binary: fixture("ca-rsa") };
  simulator.notify(withCa);
  simulator.notify(smallEvent(2));
  await flushed(simulator);
  simulator.close();
  const [first, second] = await readAll(directory);
  assert.ok(first && second);
  const whole = eventContext();
  const [expected] = eventsOfFrame(first, whole);
  const later = await openJournalContext(
    directory,
    {},
    await readCaMemory(undefined),
    first.position,
  );
  assert.equal(eventsOfFrame(second, later)[0]?.source, expected?.source);
  assert.match(expected?.source ?? "", /^urn:certwire:ca:[0-9a-f]{64}$/);
});

test("a file of any size and content costs no more than its limits", async (context) => {
  const path = join(temporaryDirectory(context), "ca-ids.ndjson");
  const line = (sequence: string, id: string) =>
    `${JSON.stringify({ epochNumber: 1, epochId: "e", sequence, id })}\n`;
  writeFileSync(path, line("9".repeat(5_000_000), "long") + line("1", "good"));
  const memory = await readCaMemory(path);
  assert.equal(memory.seenAt({ epochNumber: 1, epochId: "e", sequence: 2n })?.id, "good");
  truncateSync(path, 2 ** 40);
  await assert.rejects(readCaMemory(path), { code: "CERTWIRE_CHECKPOINT_FAILED" });
});

test("only the service's account may read the file, and a link is not followed", async (context) => {
  const directory = temporaryDirectory(context);
  const path = join(directory, "state", "ca-ids.ndjson");
  await openCaMemory(new CaIdFile(path, unfailing));
  const modes = [path, dirname(path)].map((each) => statSync(each).mode & 0o777);
  if (process.platform !== "win32") assert.deepEqual(modes, [0o600, 0o700]);
  const link = join(directory, "link.ndjson");
  symlinkSync(path, link);
  const opening = openCaMemory(new CaIdFile(link, unfailing));
  await assert.rejects(opening, { code: "CERTWIRE_CHECKPOINT_FAILED" });
});
