import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { type TestContext, test } from "node:test";
import { DeadLetterFile } from "../../../src/state/dead-letter.ts";
import { MemorySource } from "../../support/memory-source.ts";
import { neverStopped, range, testPipeline } from "../../support/run-pipeline.ts";
import { sampleEvent, samplePosition } from "../../support/sample-events.ts";
import { type Script, ScriptedSink } from "../../support/scripted-sink.ts";
import { patienceMs, settled, turns, until } from "../../support/until.ts";

const cause = new Error("scripted");

function events(count: number) {
  return range(1, count).map((n) => sampleEvent(n, "key-0"));
}

const stuckSinks: Readonly<Record<string, (sink: ScriptedSink) => void>> = {
  "whose broker refuses the credentials": (sink) => {
    sink.script = () => ({ acknowledged: 0, failure: { kind: "auth", cause } });
  },
  "whose topic is missing": (sink) => {
    sink.script = () => ({ acknowledged: 0, failure: { kind: "config", cause } });
  },
  "whose broker has been unreachable for many tries": (sink) => {
    sink.script = () => ({ acknowledged: 0, failure: { kind: "reset", cause } });
  },
  "that has announced that it accepts nothing": (sink) => {
    sink.isBlocked = true;
    sink.script = (_batch, _call, signal) =>
      new Promise((resolve) => {
        const failure = { kind: "reset", cause } as const;
        signal.addEventListener("abort", () => resolve({ acknowledged: 0, failure }));
      });
  },
  "that cannot be opened again": (sink) => {
    sink.onOpen = () => {
      if (sink.opened > 1) throw new Error("not any more");
    };
    sink.script = () => ({ acknowledged: 0, failure: { kind: "reset", scope: "sink", cause } });
  },
};

for (const [what, prepare] of Object.entries(stuckSinks)) {
  test(`a stop does not wait for a sink ${what}`, async (t) => {
    const sink = new ScriptedSink();
    prepare(sink);
    const source = new MemorySource(events(10), { tail: true });
    // The drain itself would outlast the test.
    const settings = { drainTimeoutMs: 2 * patienceMs };
    const { pipeline } = await testPipeline(t, source, sink, settings);
    const stop = new AbortController();
    const running = pipeline.run(stop.signal);
    const isStuck = () => sink.isBlocked || pipeline.stats().state === "alarm" || sink.opened > 2;
    await until(isStuck, "the sink is stuck");
    await until(() => sink.batches.length > 0, "a batch was sent");
    stop.abort();
    await settled(running, "the pipeline has ended");
    assert.equal(pipeline.stats().acknowledgedEvents, 0);
  });
}

test("a destination that has announced that it accepts nothing is not publishing", async (t) => {
  const sink = new ScriptedSink();
  const gate = new EventEmitter();
  sink.script = async () => {
    await once(gate, "open");
    return undefined;
  };
  const { pipeline } = await testPipeline(t, new MemorySource(events(3)), sink);
  const running = pipeline.run(neverStopped);
  await until(() => sink.batches.length > 0, "a batch was sent");
  assert.equal(pipeline.stats().state, "publishing");
  sink.isBlocked = true;
  assert.equal(pipeline.stats().state, "retrying");
  sink.isBlocked = false;
  gate.emit("open");
  await settled(running, "the pipeline has ended");
});

test("a stop waits for the lane that makes progress beside one that waits for help", async (t) => {
  const sink = new ScriptedSink(2);
  const gate = new EventEmitter();
  sink.script = async ({ lane }) => {
    if (lane === 0) return { acknowledged: 0, failure: { kind: "config", cause } };
    await once(gate, "open");
    return undefined;
  };
  const source = new MemorySource(
    range(1, 4).map((n) => sampleEvent(n, `key-${n % 2}`)),
    { tail: true },
  );
  const settings = { drainTimeoutMs: 2 * patienceMs };
  const { pipeline } = await testPipeline(t, source, sink, settings);
  const stop = new AbortController();
  const running = pipeline.run(stop.signal);
  await until(() => pipeline.stats().state === "alarm", "one lane waits for help");
  stop.abort();
  await until(() => pipeline.stats().state === "draining", "the pipeline drains");
  await turns();
  assert.equal(pipeline.stats().state, "draining");
  gate.emit("open");
  await settled(running, "the pipeline has ended");
  assert.deepEqual(sink.accepted, [1, 3]);
});

/** A disk that accepts no dead letter; returns how often that was tried. */
function fullDisk(t: TestContext): () => number {
  const { mock } = t.mock.method(DeadLetterFile.prototype, "append", async () => {
    throw new Error("disk full");
  });
  return () => mock.callCount();
}

/** Eight events on two lanes: 2, 4, 6, 8 on the first, 1, 3, 5, 7 on the second. */
function eventsOnTwoLanes(): MemorySource {
  return new MemorySource(
    range(1, 8).map((n) => sampleEvent(n, `key-${n % 2}`)),
    { tail: true },
  );
}

/** Refuses event 4 as one that can never be accepted. */
const refuseFourth: Script = ({ sequences }) => {
  const at = sequences.indexOf(4);
  return at === -1 ? undefined : { acknowledged: at, failure: { kind: "poison", cause } };
};

test("a stop does not wait for a dead letter that cannot be written, and nothing is lost", async (t) => {
  const tries = fullDisk(t);
  const sink = new ScriptedSink(2);
  sink.script = refuseFourth;
  const settings = { drainTimeoutMs: 2 * patienceMs };
  const { pipeline, saved } = await testPipeline(t, eventsOnTwoLanes(), sink, settings);
  const stop = new AbortController();
  const running = pipeline.run(stop.signal);
  await until(() => tries() > 1 && sink.accepted.length === 5, "only the dead letter is left");
  stop.abort();
  await settled(running, "the pipeline has ended");
  assert.deepEqual(saved.at(-1), samplePosition(3), "event 4 is published again at the next start");
  assert.equal(pipeline.stats().inFlightEvents, 5);
});

test("a stop waits for the lane that makes progress beside a dead letter that cannot be written", async (t) => {
  const tries = fullDisk(t);
  const sink = new ScriptedSink(2);
  const gate = new EventEmitter();
  sink.script = async (...batch) => {
    if (batch[0].lane === 1) await once(gate, "open");
    return refuseFourth(...batch);
  };
  const settings = { drainTimeoutMs: 2 * patienceMs };
  const { pipeline } = await testPipeline(t, eventsOnTwoLanes(), sink, settings);
  const stop = new AbortController();
  const running = pipeline.run(stop.signal);
  await until(() => tries() > 1, "the dead letter is tried");
  stop.abort();
  await until(() => pipeline.stats().state === "draining", "the pipeline drains");
  await turns();
  assert.equal(pipeline.stats().state, "draining");
  gate.emit("open");
  await settled(running, "the pipeline has ended");
  assert.deepEqual(sink.accepted, [2, 1, 3, 5, 7]);
});

test("a stop does not wait while the lanes change and a dead letter cannot be written", async (t) => {
  const tries = fullDisk(t);
  const sink = new ScriptedSink(2);
  const gate = new EventEmitter();
  sink.script = async (...batch) => {
    if (batch[0].lane === 0) return refuseFourth(...batch);
    await once(gate, "open");
    return { acknowledged: 0, failure: { kind: "reset", scope: "sink", cause } };
  };
  const settings = { drainTimeoutMs: 2 * patienceMs };
  const { pipeline, saved } = await testPipeline(t, eventsOnTwoLanes(), sink, settings);
  const stop = new AbortController();
  const running = pipeline.run(stop.signal);
  await until(() => tries() > 1, "the dead letter is tried");
  gate.emit("open");
  await until(() => pipeline.stats().relayouts > 0, "the lanes change");
  stop.abort();
  await settled(running, "the pipeline has ended");
  assert.deepEqual(saved, []);
});
