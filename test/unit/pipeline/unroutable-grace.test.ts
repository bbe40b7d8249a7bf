import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventKind } from "../../../src/events/event.ts";
import { UnroutableGrace } from "../../../src/pipeline/unroutable-grace.ts";
import type { SinkFailure } from "../../../src/sinks/sink.ts";
import { MemorySource } from "../../support/memory-source.ts";
import { neverStopped, range, testPipeline } from "../../support/run-pipeline.ts";
import { sampleEvent, sampleOutbound, sequenceOf } from "../../support/sample-events.ts";
import { scaled } from "../../support/scale.ts";
import { ScriptedSink } from "../../support/scripted-sink.ts";

const minute = 60_000;
const unroutable: SinkFailure = { kind: "unroutable", cause: new Error("no route") };
const outage: SinkFailure = { kind: "reset", cause: new Error("connection lost") };

/** A grace of five minutes with a clock of its own. */
function fiveMinutes() {
  const clock = { ms: 0 };
  return { clock, grace: new UnroutableGrace(5 * minute, { now: () => clock.ms }) };
}

/** Lets an event be refused until it is given up; returns the pauses that it was granted. */
function waitOut(grace: UnroutableGrace, event: { id: string; kind: EventKind }): number {
  let pauses = 0;
  while (grace.mayWait(event, minute)) pauses += 1;
  return pauses;
}

const crl = (id: string) => ({ id, kind: "crl.issued" }) as const;

test("an unroutable event waits its whole time, the next of its kind not at all", () => {
  const { grace } = fiveMinutes();
  assert.equal(waitOut(grace, crl("a")), 5);
  assert.equal(waitOut(grace, crl("b")), 0);
  assert.ok(grace.mayWait({ id: "c", kind: "certificate.issued" }, minute), "another kind waits");
});

test("time in which an event is not refused for its route costs it nothing", () => {
  const { grace, clock } = fiveMinutes();
  assert.ok(grace.mayWait(crl("a"), minute));
  clock.ms += 600 * minute;
  assert.equal(waitOut(grace, crl("a")), 4);
});

test("a kind of which one event was accepted waits without limit: what was bound is down", () => {
  const { grace, clock } = fiveMinutes();
  grace.accepted(crl("a"));
  for (let pauses = 0; pauses < 10_000; pauses += 1) {
    clock.ms += minute;
    assert.ok(grace.mayWait(crl("b"), minute));
  }
  assert.equal(waitOut(grace, { id: "c", kind: "certificate.issued" }), 5);
});

test("a kind that was given up waits without limit once one of its events was accepted", () => {
  const { grace } = fiveMinutes();
  waitOut(grace, crl("a"));
  grace.buried(crl("a"));
  grace.accepted(crl("b"));
  for (let pauses = 0; pauses < 100; pauses += 1) assert.ok(grace.mayWait(crl("c"), minute));
});

test("a kind that was given up is tried for its whole time again after ten minutes", () => {
  const { grace, clock } = fiveMinutes();
  waitOut(grace, crl("a"));
  clock.ms = 10 * minute - 1;
  assert.equal(waitOut(grace, crl("b")), 0);
  clock.ms = 10 * minute;
  assert.equal(waitOut(grace, crl("c")), 5);
  assert.equal(waitOut(grace, crl("d")), 0);
});

test("hundreds of unroutable events on four lanes wait once, and what has a route is published", async (t) => {
  const keys = 8;
  const isLost = (n: number) => n % keys < 4;
  const sink = new ScriptedSink(4);
  sink.script = ({ sequences }) => {
    const at = sequences.findIndex(isLost);
    return at === -1 ? undefined : { acknowledged: at, failure: unroutable };
  };
  const count = keys * scaled(75, { least: 10 });
  const events = range(1, count).map((n) => {
    const event = sampleEvent(n, `key-${n % keys}`);
    return isLost(n) ? { ...event, type: "io.certwire.crl.issued.v1" } : event;
  });
  const { pipeline, deadLetters } = await testPipeline(t, new MemorySource(events), sink, {
    retryInitialMs: 5,
    deadLetterAfterSeconds: 0.2,
  });
  await pipeline.run(neverStopped);
  const letters = (await deadLetters()).map(({ event }) => event && sequenceOf(event));
  const byNumber = (a = 0, b = 0) => a - b;
  assert.deepEqual(letters.toSorted(byNumber), range(1, count).filter(isLost));
  assert.deepEqual(
    sink.accepted.toSorted(byNumber),
    range(1, count).filter((n) => !isLost(n)),
  );
  const { failures, deadLetters: counts } = pipeline.stats();
  assert.equal(counts.unroutable, count / 2);
  // Each of the four heads may wait out its 0.2 s in pauses of 3 to 5 ms, and nothing else waits.
  assert.ok(failures.unroutable < count / 2 + 4 * 70, `${failures.unroutable} refusals`);
});

test("an outage takes nothing from the time of an unroutable event", async (t) => {
  const sink = new ScriptedSink();
  // A pause has at least half of `retryMaxMs`, so that those of the outage are more than the event may wait.
  const [retryMaxMs, deadLetterAfterSeconds, outages] = [5, 0.2, 100];
  assert.ok((outages * retryMaxMs) / 2 > deadLetterAfterSeconds * 1000);
  let refusals = 0;
  sink.script = (_batch, call) => {
    if (call <= outages) return { acknowledged: 0, failure: outage };
    refusals += 1;
    return refusals <= 5 ? { acknowledged: 0, failure: unroutable } : undefined;
  };
  const source = new MemorySource([sampleEvent(1)]);
  const settings = { retryInitialMs: retryMaxMs, retryMaxMs, deadLetterAfterSeconds };
  const { pipeline, deadLetters } = await testPipeline(t, source, sink, settings);
  await pipeline.run(neverStopped);
  assert.deepEqual(sink.accepted, [1]);
  await assert.rejects(deadLetters(), { code: "ENOENT" });
});

test("what an unroutable event has waited is kept when the lanes change", async (t) => {
  const sink = new ScriptedSink();
  sink.script = (_batch, call) =>
    call % 5 === 0
      ? { acknowledged: 0, failure: { ...outage, scope: "sink" } }
      : { acknowledged: 0, failure: unroutable };
  const { pipeline, deadLetters } = await testPipeline(
    t,
    new MemorySource([sampleEvent(1)]),
    sink,
    {
      deadLetterAfterSeconds: 0.1,
    },
  );
  await pipeline.run(neverStopped);
  assert.ok(sink.opened > 2, "the lanes have changed");
  assert.deepEqual(
    (await deadLetters()).map(({ event }) => event?.id),
    [sampleOutbound(1).id],
  );
});
