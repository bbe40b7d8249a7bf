import assert from "node:assert/strict";
import { test } from "node:test";
import type { CertwireEvent, EventKind } from "../../../src/events/event.ts";
import { EventFilter } from "../../../src/events/event-filter.ts";
import { MemorySource } from "../../support/memory-source.ts";
import { neverStopped, range, testPipeline } from "../../support/run-pipeline.ts";
import { sampleEvent, samplePosition } from "../../support/sample-events.ts";
import { ScriptedSink } from "../../support/scripted-sink.ts";
import { until } from "../../support/until.ts";

const cause = new Error("scripted");

const onlyRevocations = new EventFilter({ only: [{ kind: ["certificate.revoked"] }] });

function ofKind(sequence: number, kind: EventKind, key = "ca-1"): CertwireEvent {
  return { ...sampleEvent(sequence, key), type: `io.certwire.${kind}.v1` };
}

/** Of three events the second one is wanted. */
function mixed(count: number): CertwireEvent[] {
  return range(1, count).map((n) =>
    ofKind(n, n % 3 === 2 ? "certificate.revoked" : "certificate.issued", `key-${n % 2}`),
  );
}

test("a sink gets the events that it wants, in order, and the cursor passes the others", async (t) => {
  const sink = new ScriptedSink(2);
  const source = new MemorySource(mixed(60));
  const { pipeline, saved } = await testPipeline(t, source, sink, { filter: onlyRevocations });
  await pipeline.run(neverStopped);
  assert.deepEqual(
    sink.accepted.toSorted((a, b) => a - b),
    range(1, 60).filter((n) => n % 3 === 2),
  );
  assert.deepEqual(sink.faults, []);
  assert.deepEqual(saved.at(-1), samplePosition(60));
  const { publishedEvents, acknowledgedEvents, skippedEvents, deadLetters } = pipeline.stats();
  assert.deepEqual([publishedEvents, acknowledgedEvents, skippedEvents], [20, 20, 40]);
  assert.deepEqual(deadLetters, { undecodable: 0, unencodable: 0, rejected: 0, unroutable: 0 });
});

test("a sink that wants nothing keeps its cursor at the end, has nothing in flight and is not in trouble", async (t) => {
  const sink = new ScriptedSink();
  const source = new MemorySource(
    range(1, 30).map((n) => ofKind(n, "certificate.issued")),
    { tail: true },
  );
  const { pipeline, saved } = await testPipeline(t, source, sink, { filter: onlyRevocations });
  const stop = new AbortController();
  const running = pipeline.run(stop.signal);
  await until(() => saved.at(-1)?.sequence === 30n, "the cursor is at the end");
  source.push(ofKind(31, "request.denied"));
  await until(() => saved.at(-1)?.sequence === 31n, "the cursor follows");
  const { state, inFlightEvents, inFlightBytes, oldestUnacknowledged } = pipeline.stats();
  assert.deepEqual([state, inFlightEvents, inFlightBytes], ["publishing", 0, 0]);
  assert.equal(oldestUnacknowledged, undefined);
  stop.abort();
  await running;
  assert.deepEqual(sink.batches, []);
  assert.equal(pipeline.stats().skippedEvents, 31);
});

test("the cursor does not pass an unacknowledged event by those that are skipped after it", async (t) => {
  const sink = new ScriptedSink();
  const [wanted, ...others] = [
    ofKind(1, "certificate.revoked"),
    ...range(2, 20).map((n) => ofKind(n, "certificate.issued")),
  ];
  const source = new MemorySource([wanted ?? sampleEvent(1), ...others]);
  const stop = new AbortController();
  sink.script = () => ({ acknowledged: 0, failure: { kind: "retry-identical", cause } });
  const { pipeline, saved } = await testPipeline(t, source, sink, {
    filter: onlyRevocations,
    drainTimeoutMs: 1,
  });
  const running = pipeline.run(stop.signal);
  await until(() => source.taken === 20 && sink.batches.length > 2, "all are read");
  assert.equal(pipeline.stats().inFlightEvents, 20);
  stop.abort();
  await running;
  assert.deepEqual(saved, []);
});

test("an event that is skipped is no dead letter, whatever is wrong with it, and a gap is published", async (t) => {
  const sink = new ScriptedSink();
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  const broken = { ...ofKind(1, "certificate.issued"), data: circular };
  const source = new MemorySource([broken, ofKind(2, "journal.gap"), ofKind(3, "ca.unrecognized")]);
  const { pipeline, saved } = await testPipeline(t, source, sink, { filter: onlyRevocations });
  await pipeline.run(neverStopped);
  assert.deepEqual(sink.accepted, [2, 3]);
  assert.equal(pipeline.stats().deadLetters.unencodable, 0);
  assert.deepEqual(saved.at(-1), samplePosition(3));
});

test("of a record with several events each one is chosen by itself", async (t) => {
  const sink = new ScriptedSink();
  const events = [
    ofKind(1, "ca.changed"),
    ofKind(2, "crl.issued"),
    ofKind(3, "certificate.revoked"),
  ];
  const source = MemorySource.of([{ position: samplePosition(1), events }]);
  const { pipeline, saved } = await testPipeline(t, source, sink, { filter: onlyRevocations });
  await pipeline.run(neverStopped);
  assert.deepEqual(sink.accepted, [1, 3]);
  assert.deepEqual(saved.at(-1), samplePosition(1));
  assert.equal(pipeline.stats().skippedEvents, 1);
});
