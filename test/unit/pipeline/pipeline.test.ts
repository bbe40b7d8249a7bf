import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { test } from "node:test";
import type { JournalPosition } from "../../../src/journal/position.ts";
import { DeadLetterFile } from "../../../src/state/dead-letter.ts";
import { MemorySource } from "../../support/memory-source.ts";
import { neverStopped, range, testPipeline } from "../../support/run-pipeline.ts";
import { sampleEvent, samplePosition } from "../../support/sample-events.ts";
import { scaled } from "../../support/scale.ts";
import { ScriptedSink } from "../../support/scripted-sink.ts";
import { patienceMs, settled, turns, until } from "../../support/until.ts";

const cause = new Error("scripted");

function events(count: number, keys = 1) {
  return range(1, count).map((n) => sampleEvent(n, `key-${n % keys}`));
}

test("a finite source is published whole and in its order, and the cursor ends after its last record", async (t) => {
  const sink = new ScriptedSink();
  const source = new MemorySource(events(57));
  const { pipeline, saved } = await testPipeline(t, source, sink);
  await pipeline.run(neverStopped);
  assert.deepEqual(sink.accepted, range(1, 57));
  assert.deepEqual(saved.at(-1), samplePosition(57));
  assert.ok(sink.isClosed && source.isClosed);
  assert.equal(pipeline.stats().state, "stopped");
  assert.equal(pipeline.stats().acknowledgedEvents, 57);
});

test("the cursor is never ahead of the acknowledged prefix, whatever order lanes end in", async (t) => {
  const sink = new ScriptedSink(3);
  const count = scaled(300);
  const { pipeline, saved } = await testPipeline(t, new MemorySource(events(count, 3)), sink, {
    checkpointIntervalMs: 1,
  });
  const ahead: string[] = [];
  sink.script = async ({ lane, sequences }) => {
    await turns(lane);
    // The first lane waits for the cursor, so that it is saved again and again while the others go on.
    const [first = 0] = sequences;
    const isSaved = (): boolean => Number(saved.at(-1)?.sequence ?? 0n) >= first - 1;
    const isReached = (): boolean => range(1, first - 1).every((n) => sink.accepted.includes(n));
    if (lane === 0) await until(() => isReached() && isSaved(), "the cursor is saved");
    const position = saved.at(-1);
    const done = new Set(sink.accepted);
    const gap = range(1, Number(position?.sequence ?? 0n)).find((n) => !done.has(n));
    if (gap !== undefined) ahead.push(`${position?.sequence} saved before ${gap} was accepted`);
    return undefined;
  };
  await pipeline.run(neverStopped);
  assert.deepEqual(ahead, []);
  assert.deepEqual(sink.faults, []);
  assert.deepEqual(saved.at(-1), samplePosition(count));
});

test("many lanes at work at the same time cause no warning", async (t) => {
  const sink = new ScriptedSink(20);
  let busy = 0;
  sink.script = async (_batch, _call, signal) => {
    const onAbort = (): void => {};
    signal.addEventListener("abort", onAbort);
    busy += 1;
    await until(() => busy === 20, "all lanes are at work");
    signal.removeEventListener("abort", onAbort);
    return undefined;
  };
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => void warnings.push(warning);
  process.on("warning", onWarning);
  t.after(() => process.off("warning", onWarning));
  const { pipeline } = await testPipeline(t, new MemorySource(events(20, 20)), sink);
  await pipeline.run(neverStopped);
  await turns();
  assert.deepEqual(warnings, []);
});

test("a failed batch is sent again exactly as it was, less its acknowledged start", async (t) => {
  const sink = new ScriptedSink();
  const source = new MemorySource(events(6), { tail: true });
  sink.script = (_batch, call) => {
    // More events arrive while the batch fails: they must not join it.
    if (call === 1) for (const n of range(7, 9)) source.push(sampleEvent(n, "key-0"));
    if (call === 1) return { acknowledged: 2, failure: { kind: "retry-identical", cause } };
    if (call <= 3) return { acknowledged: 0, failure: { kind: "reset", cause } };
    return undefined;
  };
  const { pipeline, monitor } = await testPipeline(t, source, sink);
  const stop = new AbortController();
  const running = pipeline.run(stop.signal);
  await until(() => sink.accepted.length === 9, "all events are accepted");
  stop.abort();
  await running;
  const lists = sink.batches.map(({ sequences }) => sequences);
  assert.deepEqual(lists.slice(0, 4), [range(1, 6), range(3, 6), range(3, 6), range(3, 6)]);
  assert.deepEqual(sink.accepted, range(1, 9));
  const { failures } = pipeline.stats();
  assert.equal(failures["retry-identical"], 1);
  assert.equal(failures.reset, 2);
  assert.deepEqual(Object.fromEntries(monitor.tally().retried), { "retry-identical": 4, reset: 8 });
});

test("dead letters are counted by kind of event and reason", async (t) => {
  const sink = new ScriptedSink();
  sink.script = () => ({ acknowledged: 0, failure: { kind: "poison", cause } });
  const { pipeline, monitor } = await testPipeline(t, new MemorySource(events(2)), sink);
  await pipeline.run(neverStopped);
  assert.deepEqual(monitor.tally().deadLetters, [
    { kind: "certificate.issued", reason: "rejected", count: 2 },
  ]);
});

test("one lane that fails delays no other until the window is full, and memory stays limited", async (t) => {
  const sink = new ScriptedSink(2);
  const stuck = { acknowledged: 0, failure: { kind: "retry-identical", cause } } as const;
  let isBroken = true;
  sink.script = ({ lane }) => (lane === 1 && isBroken ? stuck : undefined);
  const count = scaled(1000, { least: 200 });
  const source = new MemorySource(events(count, 2));
  const { pipeline, saved } = await testPipeline(t, source, sink, { maxInFlightEvents: 100 });
  const running = pipeline.run(neverStopped);
  await until(() => sink.accepted.length === 50, "the healthy lane has published its half");
  await turns();
  assert.ok(source.taken <= 101, `${source.taken} records taken, the window is 100`);
  assert.ok(Number(saved.at(-1)?.sequence ?? 0n) <= 1, "the cursor waits before the stuck event");
  await until(() => pipeline.stats().state === "alarm", "the stuck lane raises the alarm");
  isBroken = false;
  await running;
  assert.deepEqual(
    sink.accepted.toSorted((a, b) => a - b),
    range(1, count),
  );
});

test("reading stops when the bytes in flight reach their limit", async (t) => {
  const sink = new ScriptedSink();
  const gate = new EventEmitter();
  sink.script = async (_batch, call) => {
    if (call === 1) await once(gate, "open");
    return undefined;
  };
  const padded = range(1, 50).map((n) => sampleEvent(n, "key-0", 1000));
  const source = new MemorySource(padded);
  const { pipeline } = await testPipeline(t, source, sink, { maxInFlightBytes: 10_000 });
  const running = pipeline.run(neverStopped);
  await until(() => pipeline.stats().inFlightBytes >= 10_000, "the bound is reached");
  await turns();
  assert.ok(pipeline.stats().inFlightBytes < 12_000, `${pipeline.stats().inFlightBytes} bytes`);
  assert.ok(source.taken < 10, `${source.taken} records taken`);
  gate.emit("open");
  await running;
  assert.deepEqual(sink.accepted, range(1, 50));
});

test("a lone event goes out at once, a backlog in full batches", async (t) => {
  const sink = new ScriptedSink(1, { batchEvents: 50, lingerMs: 2 * patienceMs });
  const source = new MemorySource(events(500), { chunk: 20, tail: true });
  const { pipeline } = await testPipeline(t, source, sink);
  const stop = new AbortController();
  const running = pipeline.run(stop.signal);
  await until(() => sink.accepted.length === 500, "the backlog is published");
  const sizes = sink.batches.map(({ sequences }) => sequences.length);
  assert.ok(
    sizes.every((size) => size === 50),
    `sizes ${sizes.join()}`,
  );
  source.push(sampleEvent(501, "key-0"));
  await until(() => sink.accepted.length === 501, "the lone event is published");
  stop.abort();
  await running;
  assert.equal(sink.batches.length, 11, "ten batches of 50 and one of one event");
});

test("a batch keeps to its bytes, and an event larger than them goes alone", async (t) => {
  const sink = new ScriptedSink(1, { batchBytes: 4000 });
  const sizes = [100, 100, 9000, 100, 3000, 3000];
  const source = new MemorySource(sizes.map((size, at) => sampleEvent(at + 1, "key-0", size)));
  const { pipeline } = await testPipeline(t, source, sink);
  await pipeline.run(neverStopped);
  assert.deepEqual(
    sink.batches.map(({ sequences }) => sequences),
    [[1, 2], [3], [4, 5], [6]],
  );
});

test("a stop waits for what is in flight, saves the cursor and closes", async (t) => {
  const sink = new ScriptedSink();
  const gate = new EventEmitter();
  sink.script = async () => {
    await once(gate, "open");
    return undefined;
  };
  const source = new MemorySource(events(10), { tail: true });
  const { pipeline, saved } = await testPipeline(t, source, sink, { checkpointIntervalMs: 60_000 });
  const stop = new AbortController();
  const running = pipeline.run(stop.signal);
  await until(() => sink.batches.length === 1, "the batch is under way");
  stop.abort();
  await turns();
  assert.deepEqual(saved, []);
  gate.emit("open");
  await running;
  assert.deepEqual(sink.accepted, range(1, 10));
  assert.deepEqual(saved, [samplePosition(10)]);
  assert.ok(sink.isClosed && source.isClosed);
});

test("a stop with a sink that never answers ends within the drain time", async (t) => {
  const sink = new ScriptedSink();
  sink.script = (_batch, _call, signal) =>
    new Promise((resolve) => {
      const failure = { kind: "reset", cause } as const;
      signal.addEventListener("abort", () => resolve({ acknowledged: 0, failure }));
    });
  const source = new MemorySource(events(10), { tail: true });
  const { pipeline, saved } = await testPipeline(t, source, sink, { drainTimeoutMs: 50 });
  const drainTime = new AbortController();
  const timeout = t.mock.method(AbortSignal, "timeout", () => drainTime.signal);
  const stop = new AbortController();
  const running = pipeline.run(stop.signal);
  await until(() => sink.batches.length === 1, "the batch is under way");
  stop.abort();
  await until(() => timeout.mock.callCount() === 1, "the drain time has begun");
  assert.deepEqual(timeout.mock.calls[0]?.arguments, [50]);
  await turns();
  assert.equal(pipeline.stats().state, "draining");
  drainTime.abort();
  await settled(running, "the pipeline has ended");
  assert.deepEqual(saved, []);
});

test("a sink that cannot be opened is tried again until it can", async (t) => {
  const sink = new ScriptedSink();
  sink.onOpen = () => {
    if (sink.opened < 4) throw new Error("not yet");
  };
  const { pipeline } = await testPipeline(t, new MemorySource(events(3)), sink);
  await pipeline.run(neverStopped);
  assert.equal(pipeline.stats().openFailures, 3);
  assert.deepEqual(sink.accepted, range(1, 3));
});

test("a stop ends at once while the sink is still being opened", async (t) => {
  const sink = new ScriptedSink();
  sink.open = () => new Promise(() => {});
  const source = new MemorySource(events(3), { tail: true });
  const { pipeline } = await testPipeline(t, source, sink);
  const stop = new AbortController();
  const running = pipeline.run(stop.signal);
  stop.abort();
  await settled(running, "the pipeline has ended");
  assert.ok(sink.isClosed && source.isClosed);
});

test("when the number of lanes changes every event is given its lane anew and none is lost", async (t) => {
  const sink = new ScriptedSink(2);
  sink.onOpen = () => {
    sink.lanes = sink.opened === 1 ? 2 : 5;
  };
  sink.script = ({ lane }, call) =>
    call >= 4 && sink.opened === 1
      ? { acknowledged: lane, failure: { kind: "reset", scope: "sink", cause } }
      : undefined;
  const keys = 7;
  const count = scaled(400, { least: 100 });
  const { pipeline, saved } = await testPipeline(t, new MemorySource(events(count, keys)), sink);
  await pipeline.run(neverStopped);
  assert.equal(sink.opened, 2);
  assert.equal(pipeline.stats().relayouts, 1);
  assert.deepEqual(sink.faults, []);
  assert.deepEqual(
    sink.accepted.toSorted((a, b) => a - b),
    range(1, count),
  );
  for (let key = 0; key < keys; key += 1) {
    const ofKey = sink.accepted.filter((n) => n % keys === key);
    assert.deepEqual(
      ofKey,
      ofKey.toSorted((a, b) => a - b),
      `order of key ${key}`,
    );
  }
  assert.deepEqual(saved.at(-1), samplePosition(count));
});

test("a source that fails is read again", async (t) => {
  const sink = new ScriptedSink();
  const source = new MemorySource(events(5));
  const next = source.next.bind(source);
  let calls = 0;
  source.next = async (signal) => {
    calls += 1;
    if (calls === 1) throw new Error("disk trouble");
    return next(signal);
  };
  const { pipeline } = await testPipeline(t, source, sink);
  await pipeline.run(neverStopped);
  assert.deepEqual(sink.accepted, range(1, 5));
  assert.equal(pipeline.stats().sourceFailures, 1);
});

test("a source that fails is read again within seconds, however long a sink may pause", async (t) => {
  const source = new MemorySource(events(5));
  const next = source.next.bind(source);
  let calls = 0;
  source.next = async (signal) => {
    calls += 1;
    if (calls <= 2) throw new Error("the lock file cannot be read");
    return next(signal);
  };
  const hour = 3_600_000;
  const settings = { retryInitialMs: hour, retryMaxMs: hour };
  const { pipeline, logLines } = await testPipeline(t, source, new ScriptedSink(), settings);
  const stop = new AbortController();
  t.after(() => stop.abort());
  const running = pipeline.run(stop.signal);
  const failures = () => logLines.filter(({ msg }) => msg === "cannot read events");
  await until(() => failures().length > 0, "a failure is logged");
  const [{ delayMs } = {}] = failures();
  assert.ok(Number(delayMs) <= 2000, `a pause of ${String(delayMs)} ms`);
  await settled(running, "everything is read");
  assert.ok(calls > 2);
});

test("a sink that breaks its contract ends the pipeline with an error instead of a loss", async (t) => {
  const sink = new ScriptedSink();
  sink.script = () => ({ acknowledged: 1 });
  const { pipeline, saved } = await testPipeline(t, new MemorySource(events(5)), sink);
  await assert.rejects(pipeline.run(neverStopped), /stopped without a reason/);
  assert.deepEqual(saved, []);
});

test("a stop ends while the lanes change and the sink cannot be opened", async (t) => {
  const sink = new ScriptedSink();
  sink.onOpen = () => {
    if (sink.opened > 1) throw new Error("not any more");
  };
  sink.script = () => ({ acknowledged: 0, failure: { kind: "reset", scope: "sink", cause } });
  const source = new MemorySource(events(50), { chunk: 5, tail: true });
  const settings = { maxInFlightEvents: 10, drainTimeoutMs: 50 };
  const { pipeline } = await testPipeline(t, source, sink, settings);
  const stop = new AbortController();
  const running = pipeline.run(stop.signal);
  await until(() => sink.opened > 3, "the sink is opened in vain");
  stop.abort();
  await settled(running, "the pipeline has ended");
  assert.ok(sink.isClosed && source.isClosed);
});

test("a stop ends while a dead letter cannot be written", async (t) => {
  const append = t.mock.method(DeadLetterFile.prototype, "append", async () => {
    throw new Error("disk full");
  });
  const bad = { ...sampleEvent(1), data: { serial: 7n } };
  const source = new MemorySource([bad], { tail: true });
  const sink = new ScriptedSink();
  const { pipeline, saved } = await testPipeline(t, source, sink, { drainTimeoutMs: 50 });
  const stop = new AbortController();
  const running = pipeline.run(stop.signal);
  await until(() => append.mock.callCount() > 2, "the dead letter is tried");
  stop.abort();
  await settled(running, "the pipeline has ended");
  assert.deepEqual(saved, []);
});

test("what is acknowledged during the last regular save is saved too", async (t) => {
  const saves: bigint[] = [];
  const gate = new EventEmitter();
  const save = async ({ sequence }: JournalPosition) => {
    saves.push(sequence);
    if (saves.length === 1) await once(gate, "open");
  };
  const source = new MemorySource(events(1), { tail: true });
  const { pipeline } = await testPipeline(t, source, new ScriptedSink(), {
    checkpoints: { keep: async () => undefined, save },
  });
  const stop = new AbortController();
  const running = pipeline.run(stop.signal);
  await until(() => saves.length === 1, "the first save is under way");
  source.push(sampleEvent(2, "key-0"));
  await until(() => pipeline.stats().acknowledgedEvents === 2, "the second event is acknowledged");
  stop.abort();
  await turns();
  gate.emit("open");
  await running;
  assert.deepEqual(saves, [1n, 2n]);
});
