import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { test } from "node:test";
import { CaIdentity } from "../../../src/events/ca-identity.ts";
import { CaMemory } from "../../../src/events/ca-memory.ts";
import type { CertwireEvent } from "../../../src/events/event.ts";
import { kindOf } from "../../../src/events/event-kind.ts";
import { frameTypes, type JournalFrame } from "../../../src/journal/frame.ts";
import { CaIdFile, openCaMemory } from "../../../src/state/ca-id-memory.ts";
import {
  assertValid,
  encodeCbor,
  encodeRecord,
  eventContext,
  eventsOfFrame,
  fixture,
  frameOf,
} from "../../support/exit-records.ts";
import { temporaryDirectory } from "../../support/run-cli.ts";

const sha256 = (name: string) => createHash("sha256").update(fixture(name)).digest("hex");
const epochs = ["0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"];

/** A frame of an epoch, 1 or 2, whose record has this CA certificate, or none. */
function frameWith(certificate: string | undefined, sequence: bigint, epoch = 1): JournalFrame {
  const ca = certificate === undefined ? {} : { RawCACertificate: fixture(certificate) };
  const place = { epochNumber: epoch, epochId: epochs[epoch - 1] ?? "" };
  return frameOf(encodeRecord({ ca: { Name: "CA", ...ca } }), { ...place, sequence });
}

const gap = (sequence: bigint) =>
  frameOf(encodeCbor({ reason: "memory" }), { type: frameTypes.gap, epochNumber: 1, sequence });

/** The ids of the events that a reader with this memory makes of the frames. */
function idsOf(frames: readonly JournalFrame[], memory = new CaMemory()): string[] {
  return eventsOf(frames, memory).map(({ id, type }) => `${kindOf({ type })} ${id}`);
}

function eventsOf(frames: readonly JournalFrame[], memory: CaMemory): CertwireEvent[] {
  const context = { options: {}, identity: new CaIdentity(memory) };
  const events = frames.flatMap((frame) => eventsOfFrame(frame, context));
  for (const event of events) assertValid(event);
  return events;
}

function unfailing(error: unknown): never {
  throw error;
}

const changesOf = (ids: readonly string[]) => ids.filter((id) => id.startsWith("ca.changed"));

test("another certificate than before is an event of its own, before the one of its record", () => {
  const memory = new CaMemory();
  const frames = [frameWith("ca-rsa", 1n), frameWith("ca-ecdsa", 2n), frameWith("ca-ecdsa", 3n)];
  const [before, changed, after, last, ...none] = eventsOf(frames, memory);
  assert.ok(before && changed && after && last);
  assert.deepEqual(none, []);
  assert.equal(changed.id, `${epochs[0]}-2-65534`);
  assert.equal(changed.type, "io.certwire.ca.changed.v1");
  assert.equal(after.id, `${epochs[0]}-2-0`);
  assert.equal(changed.source, after.source);
  assert.notEqual(changed.source, before.source);
  assert.equal(changed.partitionkey, changed.source.replace("urn:certwire:ca:", ""));
  assert.equal(changed.time, after.time);
  const ca = changed.data["ca"] as Record<string, unknown>;
  assert.equal(ca["rawCaCertificate"], fixture("ca-ecdsa").toString("base64"));
  assert.equal(ca["certificateSha256"], sha256("ca-ecdsa"));
  assert.deepEqual(changed.data["previous"], {
    id: before.source.replace("urn:certwire:ca:", ""),
    certificateSha256: sha256("ca-rsa"),
  });
});

test("the first certificate of a journal, a gap, and a record without one change nothing", () => {
  const frames = [gap(1n), frameWith(undefined, 2n), frameWith("ca-rsa", 3n)];
  const more = [gap(4n), frameWith(undefined, 5n), frameWith("ca-rsa", 6n)];
  assert.deepEqual(changesOf(idsOf([...frames, ...more])), []);
});

test("a certificate that cannot be parsed has changed too", () => {
  const broken = frameOf(encodeRecord({ ca: { RawCACertificate: Buffer.from("30", "hex") } }), {
    epochNumber: 1,
    sequence: 2n,
  });
  const ids = changesOf(idsOf([frameWith("ca-rsa", 1n), broken, frameWith("ca-rsa", 3n)]));
  assert.deepEqual(
    ids,
    [2, 3].map((sequence) => `ca.changed ${epochs[0]}-${sequence}-65534`),
  );
});

test("a certificate that is older in a request's row is no change", () => {
  const old = { event: 0x10, request: { RawCACertificate: fixture("ca-rsa") } };
  const ca = { RawCACertificate: fixture("ca-ecdsa") };
  const frames = [1n, 2n, 3n].map((sequence) =>
    frameOf(encodeRecord(sequence === 2n ? { ...old, ca } : { ca }), { epochNumber: 1, sequence }),
  );
  assert.deepEqual(changesOf(idsOf(frames)), []);
  const without = frameOf(encodeRecord(old), { epochNumber: 1, sequence: 4n });
  assert.deepEqual(changesOf(idsOf([...frames, without, frameWith("ca-ecdsa", 5n)])), []);
});

/** A renewal while the CA was down, one within an epoch, and the old certificate again. */
const history = [
  frameWith("ca-rsa", 1n),
  frameWith("ca-rsa", 2n),
  gap(3n),
  frameWith(undefined, 1n, 2),
  frameWith("ca-ecdsa", 2n, 2),
  frameWith("ca-ecdsa", 3n, 2),
  frameWith("ca-pss", 4n, 2),
  frameWith("ca-rsa", 5n, 2),
];

test("whatever a sink had read when it was killed, it and a later sink send the same events", async (context) => {
  const expected = idsOf(history);
  assert.equal(changesOf(expected).length, 3);
  for (let killed = 0; killed <= history.length; killed += 1) {
    for (let again = 0; again <= killed; again += 1) {
      const path = join(temporaryDirectory(context), "ca-ids.ndjson");
      const file = new CaIdFile(path, unfailing);
      const before = idsOf(history.slice(0, killed), await openCaMemory(file));
      await file.pending;
      // The checkpoint may be anywhere before the kill; a sink that is added later starts at the oldest frame.
      const restarted = new CaIdFile(path, unfailing);
      const memory = await openCaMemory(restarted);
      const after = idsOf(history.slice(again), memory);
      assert.deepEqual([...new Set([...before, ...after])], expected, `${killed} ${again}`);
      assert.deepEqual(after, expected.slice(expected.length - after.length));
      assert.deepEqual(idsOf(history, memory), expected);
      await restarted.pending;
    }
  }
});

test("frames that are read again, in whatever place, give the same events", () => {
  const memory = new CaMemory();
  const once = new Map(history.map((frame) => [frame, idsOf([frame], memory)]));
  for (const frame of history.toReversed())
    assert.deepEqual(idsOf([frame], memory), once.get(frame));
});

test("a frame whose decoding failed half-way gives its change at the next attempt", () => {
  const { identity } = eventContext();
  const [first, second] = [frameWith("ca-rsa", 1n), frameWith("ca-ecdsa", 2n)];
  for (const frame of [first, second]) eventsOfFrame(frame, { options: {}, identity });
  const again = eventsOfFrame(second, { options: {}, identity });
  assert.deepEqual(again.map(kindOf), ["ca.changed", "certificate.issued"]);
});
