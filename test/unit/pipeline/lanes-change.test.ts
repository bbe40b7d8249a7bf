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
import { settled, turns, until } from "../../support/until.ts";

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
