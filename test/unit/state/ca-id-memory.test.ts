import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CaIdMemory } from "../../../src/state/ca-id-memory.ts";
import { CaIdentity } from "../../../src/events/ca-identity.ts";
import { createEventContext, eventsOfFrame } from "../../../src/sources/events-of-frame.ts";
import { frameTypes, type JournalFrame } from "../../../src/journal/frame.ts";
import { openJournalContext } from "../../../src/sources/journal-context.ts";
import { encodeCbor, encodeRecord, fixture, frameOf } from "../../support/exit-records.ts";
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
  const state = temporaryDirectory(context);
  const frames = [gapAt(1n), eventAt(2n, "ca-rsa"), gapAt(3n), eventAt(4n, "ca-ecdsa"), gapAt(5n)];
  const before = sources(frames, await CaIdMemory.open(state, unfailing));
  assert.equal(before[0], "urn:certwire:ca:unknown");
  assert.equal(new Set(before).size, 3);
  for (let first = 0; first < frames.length; first += 1) {
    const again = sources(frames.slice(first), await CaIdMemory.open(state, unfailing));
    assert.deepEqual(again, before.slice(first));
  }
  assert.deepEqual(sources(frames, await CaIdMemory.read(state)), before);
});

test("a line that a crash cut off costs nothing but itself", async (context) => {
  const state = temporaryDirectory(context);
  const memory = await CaIdMemory.open(state, unfailing);
  memory.keep(gapAt(1n), "first");
  appendFileSync(join(state, "ca-ids.ndjson"), '{"epochId":"0123');
  (await CaIdMemory.open(state, unfailing)).keep(gapAt(9n), "second");
  const read = await CaIdMemory.read(state);
  assert.equal(read.idAt(gapAt(8n)), "first");
  assert.equal(read.idAt(gapAt(9n)), "second");
});

test("what could not be written down is told, and the memory holds it all the same", async (context) => {
  const state = join(temporaryDirectory(context), "state");
  const errors: unknown[] = [];
  const memory = await CaIdMemory.open(state, (error) => errors.push(error));
  rmSync(state, { recursive: true });
  memory.keep(gapAt(1n), "first");
  assert.equal(errors.length, 1);
  assert.equal(memory.idAt(gapAt(1n)), "first");
  mkdirSync(state);
  memory.keep(gapAt(5n), "second");
  assert.equal((await CaIdMemory.read(state)).idAt(gapAt(2n)), "first");
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
  const whole = createEventContext();
  const [expected] = eventsOfFrame(first, whole);
  const later = await openJournalContext(directory, {}, CaIdMemory.empty(), first.position);
  assert.equal(eventsOfFrame(second, later)[0]?.source, expected?.source);
  assert.match(expected?.source ?? "", /^urn:certwire:ca:[0-9a-f]{64}$/);
});
