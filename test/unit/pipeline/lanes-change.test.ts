import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { type TestContext, test } from "node:test";
import type { CertwireEvent } from "../../../src/events/event.ts";
import type { PublishOutcome } from "../../../src/sinks/sink.ts";
import { DeadLetterFile } from "../../../src/state/dead-letter.ts";
import { MemorySource } from "../../support/memory-source.ts";
import { neverStopped, range, testPipeline } from "../../support/run-pipeline.ts";
import { sampleEvent, samplePosition, sequenceOf } from "../../support/sample-events.ts";
import { ScriptedSink } from "../../support/scripted-sink.ts";
import { patienceMs, settled, turns, until } from "../../support/until.ts";

const cause = new Error("scripted");

/** One record of nine events of two keys; the fifth cannot be written and must become a dead letter. */
function recordWithBadEvent() {
  const events = range(1, 9).map((n) => sampleEvent(n, `key-${n % 2}`));
  return { position: samplePosition(1), events: events.with(4, badEvent()) };
}

function badEvent() {
  return { ...sampleEvent(5, "key-1"), data: { serial: 7n } };
}

/** A disk that accepts no dead letter until `free` is called. */
function fullDisk(t: TestContext) {
  const { mock } = t.mock.method(DeadLetterFile.prototype, "append", async () => {
    throw new Error("disk full");
  });
  return { tries: () => mock.callCount(), free: () => mock.restore() };
}

/**
 * A sink whose lanes change at its first batch and whose second opening lasts until `gate` opens; until
 * then it has the old lanes or none.
 */
function changingSink(gate: EventEmitter, lanesMeanwhile: 0 | 2) {
  const sink = new ScriptedSink(2, { batchEvents: 2 });
  const open = sink.open.bind(sink);
  sink.open = async () => {
    await open();
    if (sink.opened !== 2) return;
    sink.lanes = lanesMeanwhile;
    await once(gate, "open");
    sink.lanes = 3;
  };
  sink.script = (): PublishOutcome | undefined =>
    sink.opened === 1
      ? { acknowledged: 0, failure: { kind: "reset", scope: "sink", cause } }
      : undefined;
  return sink;
}

const cases = [
  { when: "before", lanesMeanwhile: 0 },
  { when: "before", lanesMeanwhile: 2 },
  { when: "after", lanesMeanwhile: 0 },
] as const;

for (const { when, lanesMeanwhile } of cases) {
  test(`the events after a dead letter that is written ${when} the lanes have changed keep their order (${lanesMeanwhile} lanes meanwhile)`, async (t) => {
    const gate = new EventEmitter();
    const disk = fullDisk(t);
    const sink = changingSink(gate, lanesMeanwhile);
    const source = MemorySource.of([recordWithBadEvent()]);
    const { pipeline, saved, deadLetters } = await testPipeline(t, source, sink);
    const running = pipeline.run(neverStopped);
    await until(() => sink.opened === 2 && disk.tries() > 2, "the lanes change on a full disk");
    const changeLanes = async (): Promise<void> => {
      gate.emit("open");
      await until(() => pipeline.stats().lanes === 3, "the lanes have changed");
    };
    const writeLetter = async (): Promise<void> => {
      disk.free();
      const isWritten = async () => (await deadLetters()).length === 1;
      await until(isWritten, "the dead letter is written", { mayThrow: true });
    };
    const steps = [changeLanes, writeLetter];
    if (when === "before") steps.reverse();
    for (const step of steps) {
      await step();
      await turns();
    }
    await settled(running, "the record is done with");
    assert.deepEqual(sink.faults, []);
    const ofKey = (key: number) => sink.accepted.filter((n) => n % 2 === key);
    assert.deepEqual(
      [ofKey(0), ofKey(1)],
      [
        [2, 4, 6, 8],
        [1, 3, 7, 9],
      ],
    );
    const letters = (await deadLetters()).map(({ event }) => event as CertwireEvent);
    assert.deepEqual(letters.map(sequenceOf), [5]);
    assert.deepEqual(saved, [samplePosition(1)]);
  });
}

/** A sink that accepts smaller events than before once its lanes have changed, at its first batch. */
function shrinkingSink() {
  const sink = new ScriptedSink(1);
  sink.onOpen = () => {
    if (sink.opened > 1) sink.limits = { ...sink.limits, maxEventBytes: 2000 };
  };
  sink.script = () =>
    sink.opened === 1
      ? { acknowledged: 0, failure: { kind: "reset", scope: "sink", cause } }
      : undefined;
  return sink;
}

/** Five events, the second and fourth above the new limit. */
const largeEvents = range(1, 5).map((n) => sampleEvent(n, "key-0", n % 2 === 0 ? 5000 : 0));

/** Makes events smaller once there is memory. */
function shrinkWith(hasMemory: () => boolean) {
  return (event: CertwireEvent) => {
    if (!hasMemory()) throw new RangeError("Array buffer allocation failed");
    return { ...event, data: {} };
  };
}

test("what cannot be made to fit for want of memory waits with an alarm, and is published in order", async (t) => {
  const sink = shrinkingSink();
  let hasMemory = false;
  const { pipeline, logLines, saved } = await testPipeline(t, new MemorySource(largeEvents), sink, {
    shrink: shrinkWith(() => hasMemory),
  });
  const running = pipeline.run(neverStopped);
  await until(() => /alarm|stopped/.test(pipeline.stats().state), "the alarm is raised");
  assert.equal(pipeline.stats().state, "alarm");
  assert.ok(logLines.some(({ level, error }) => level === 50 && /allocation/.test(String(error))));
  assert.deepEqual(sink.accepted, [], "no event overtakes another");
  hasMemory = true;
  await settled(running, "all is published");
  assert.deepEqual(sink.accepted, range(1, 5));
  assert.deepEqual(saved.at(-1), samplePosition(5));
  assert.equal(pipeline.stats().inFlightBytes, 0);
});

test("a stop does not wait for memory, and what waits for it is not lost", async (t) => {
  const sink = shrinkingSink();
  const source = new MemorySource(largeEvents, { tail: true });
  const { pipeline, logLines, saved } = await testPipeline(t, source, sink, {
    shrink: shrinkWith(() => false),
    drainTimeoutMs: 2 * patienceMs,
  });
  const stop = new AbortController();
  const running = pipeline.run(stop.signal);
  await until(() => logLines.some(({ msg }) => /it waits/.test(String(msg))), "an event waits");
  stop.abort();
  await settled(running, "the pipeline has ended");
  assert.deepEqual(saved, []);
  assert.equal(pipeline.stats().inFlightEvents, 5);
});

test("an event that is read while the limit becomes smaller waits for memory, too", async (t) => {
  const gate = new EventEmitter();
  const disk = fullDisk(t);
  const sink = changingSink(gate, 2);
  const open = sink.open.bind(sink);
  sink.open = async () => {
    await open();
    if (sink.opened > 1) sink.limits = { ...sink.limits, maxEventBytes: 2000 };
  };
  const { position, events } = recordWithBadEvent();
  const large = { ...sampleEvent(6, "key-0", 5000) };
  const source = MemorySource.of([{ position, events: events.with(5, large) }]);
  let tries = 0;
  const { pipeline, saved, deadLetters } = await testPipeline(t, source, sink, {
    shrink: shrinkWith(() => ++tries > 3),
  });
  const running = pipeline.run(neverStopped);
  await until(() => sink.opened === 2 && disk.tries() > 2, "the lanes change on a full disk");
  disk.free();
  const isWritten = async () => (await deadLetters()).length === 1;
  await until(isWritten, "the dead letter is written", { mayThrow: true });
  await turns();
  assert.equal(tries, 0, "the event fitted when it was read");
  gate.emit("open");
  await settled(running, "the record is done with");
  assert.equal(tries, 4);
  assert.deepEqual(
    sink.accepted.filter((n) => n % 2 === 0),
    [2, 4, 6, 8],
  );
  assert.deepEqual(saved, [samplePosition(1)]);
});

test("a dead letter that cannot be made for want of memory waits, too", async (t) => {
  const sink = new ScriptedSink(1);
  sink.script = ({ sequences: [first] }) =>
    first === 1 ? { acknowledged: 0, failure: { kind: "poison", cause } } : undefined;
  const parse = JSON.parse.bind(JSON);
  let failures = 0;
  const source = new MemorySource(range(1, 3).map((n) => sampleEvent(n)));
  const { pipeline, deadLetters } = await testPipeline(t, source, sink);
  const { mock } = t.mock.method(JSON, "parse", (text: string) => {
    if (!text.startsWith('{"specversion') || ++failures > 3) return parse(text);
    throw new RangeError("Array buffer allocation failed");
  });
  await settled(pipeline.run(neverStopped), "all is published");
  mock.restore();
  assert.equal(failures, 4);
  assert.deepEqual(sink.accepted, [2, 3]);
  assert.equal((await deadLetters()).length, 1);
});
