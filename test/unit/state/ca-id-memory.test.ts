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
import { frameTypes, type JournalFrame } from "../../../src/journal/frame.ts";
import { openJournalContext } from "../../../src/sources/journal-context.ts";
import { CaIdFile, CaIdMemory } from "../../../src/state/ca-id-memory.ts";
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

function sources(frames: readonly JournalFrame[], memory: CaIdMemory): (string | undefined)[] {
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
  const before = sources(frames, await CaIdMemory.open(file));
  assert.equal(before[0], "urn:certwire:ca:unknown");
  assert.equal(new Set(before).size, 3);
  await file.pending;
  for (let first = 0; first < frames.length; first += 1) {
    const again = sources(frames.slice(first), await CaIdMemory.read(path));
    assert.deepEqual(again, before.slice(first));
  }
});

test("an id is on disk when its write is no longer pending", async (context) => {
  const path = join(temporaryDirectory(context), "ca-ids.ndjson");
  const file = new CaIdFile(path, unfailing);
  const memory = await CaIdMemory.open(file);
  for (const sequence of [1n, 2n, 3n]) memory.keep(gapAt(sequence), `ca-${sequence}`);
  await file.pending;
  assert.equal(file.pending, undefined);
  const read = await CaIdMemory.read(path);
  for (const sequence of [1n, 2n, 3n]) {
    assert.equal(read.idAt(gapAt(sequence)), `ca-${sequence}`);
  }
});

test("a line that a crash cut off costs nothing but itself", async (context) => {
  const path = join(temporaryDirectory(context), "ca-ids.ndjson");
  for (const [sequence, id] of [
    [1n, "first"],
    [9n, "second"],
  ] as const) {
    const file = new CaIdFile(path, unfailing);
    (await CaIdMemory.open(file)).keep(gapAt(sequence), id);
    await file.pending;
    appendFileSync(path, '{"epochId":"0123');
  }
  const read = await CaIdMemory.read(path);
  assert.equal(read.idAt(gapAt(8n)), "first");
  assert.equal(read.idAt(gapAt(9n)), "second");
});

test("an id that cannot be written is reported, kept in memory, and written with the next", async (context) => {
  const state = join(temporaryDirectory(context), "state");
  const path = join(state, "ca-ids.ndjson");
  const errors: unknown[] = [];
  const file = new CaIdFile(path, (error) => errors.push(error));
  const memory = await CaIdMemory.open(file);
  rmSync(state, { recursive: true });
  writeFileSync(state, "a file where the directory belongs");
  memory.keep(gapAt(1n), "first");
  await file.pending;
  assert.equal(errors.length, 1);
  assert.equal(memory.idAt(gapAt(1n)), "first");
  rmSync(state);
  memory.keep(gapAt(5n), "second");
  await file.pending;
  assert.equal((await CaIdMemory.read(path)).idAt(gapAt(2n)), "first");
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
    await CaIdMemory.read(undefined),
    first.position,
  );
  assert.equal(eventsOfFrame(second, later)[0]?.source, expected?.source);
  assert.match(expected?.source ?? "", /^urn:certwire:ca:[0-9a-f]{64}$/);
});

test("a file of any size and content costs no more than its limits", async (context) => {
  const path = join(temporaryDirectory(context), "ca-ids.ndjson");
  const line = (sequence: string, id: string) =>
    `${JSON.stringify({ epochId: "e", sequence, id })}\n`;
  writeFileSync(path, line("9".repeat(5_000_000), "long") + line("1", "good"));
  const memory = await CaIdMemory.read(path);
  assert.equal(memory.idAt({ epochId: "e", sequence: 2n }), "good");
  truncateSync(path, 2 ** 40);
  await assert.rejects(CaIdMemory.read(path), { code: "CERTWIRE_CHECKPOINT_FAILED" });
});

test("only the service's account may read the file, and a link is not followed", async (context) => {
  const directory = temporaryDirectory(context);
  const path = join(directory, "state", "ca-ids.ndjson");
  await CaIdMemory.open(new CaIdFile(path, unfailing));
  const modes = [path, dirname(path)].map((each) => statSync(each).mode & 0o777);
  if (process.platform !== "win32") assert.deepEqual(modes, [0o600, 0o700]);
  const link = join(directory, "link.ndjson");
  symlinkSync(path, link);
  const opening = CaIdMemory.open(new CaIdFile(link, unfailing));
  await assert.rejects(opening, { code: "CERTWIRE_CHECKPOINT_FAILED" });
});
