import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { EventKind } from "../../../src/events/event.ts";
import type { SinkFailure } from "../../../src/sinks/sink.ts";
import { MemorySource } from "../../support/memory-source.ts";
import { neverStopped, range, testPipeline } from "../../support/run-pipeline.ts";
import { sampleEvent } from "../../support/sample-events.ts";
import { ScriptedSink } from "../../support/scripted-sink.ts";
import { settled, until } from "../../support/until.ts";

const unroutable: SinkFailure = { kind: "unroutable", cause: new Error("no route") };

/** A store in memory; `fails` says of each save, counted from 1, whether it fails. */
function memoryStore(fails: (save: number) => boolean = () => false) {
  const store = {
    kinds: [] as readonly string[],
    saves: 0,
    async save(kinds: readonly string[]): Promise<void> {
      store.saves += 1;
      if (fails(store.saves)) throw new Error("no space");
      store.kinds = kinds;
    },
  };
  return store;
}

/** How a kind is kept: with exchange and routing key, which the sink here has not. */
function routed(kind: EventKind): string {
  return `${kind}\0\0`;
}

function eventOf(number: number, kind: EventKind) {
  return { ...sampleEvent(number), type: `io.certwire.${kind}.v1` };
}

/** A pipeline that gives events up at once if it may, and never ends by itself. */
async function start(
  t: TestContext,
  sink: ScriptedSink,
  routedKinds: ReturnType<typeof memoryStore>,
  events: ReturnType<typeof eventOf>[],
) {
  const settings = { deadLetterAfterSeconds: 0, routedKinds };
  const source = new MemorySource(events, { tail: true });
  const running = await testPipeline(t, source, sink, settings);
  const stop = new AbortController();
  t.after(() => stop.abort());
  const ended = running.pipeline.run(stop.signal);
  const end = async (): Promise<void> => {
    stop.abort();
    await ended;
  };
  return { ...running, end };
}

test("a kind that was routed before a restart waits without limit after it, and another does not", async (t) => {
  const store = memoryStore();
  const first = await start(t, new ScriptedSink(), store, [eventOf(1, "crl.issued")]);
  await until(() => store.saves > 0, "the kind is saved");
  await first.end();
  assert.deepEqual(store.kinds, [routed("crl.issued")]);

  const down = new ScriptedSink();
  down.script = () => ({ acknowledged: 0, failure: unroutable });
  const events = [eventOf(2, "ca.started"), eventOf(3, "crl.issued")];
  const { pipeline, deadLetters, end } = await start(t, down, store, events);
  await until(() => pipeline.stats().failures.unroutable > 50, "the second was refused often");
  assert.equal(pipeline.stats().state, "alarm");
  down.script = () => undefined;
  await until(() => pipeline.stats().acknowledgedEvents === 1, "it is published in the end");
  await end();
  assert.deepEqual(down.accepted, [3]);
  assert.deepEqual(
    (await deadLetters()).map(({ event }) => event?.type),
    ["io.certwire.ca.started.v1"],
  );
});

test("kinds are written when one is routed first, not for each event", async (t) => {
  const store = memoryStore();
  const events = range(1, 500).map((n) => eventOf(n, n % 2 ? "crl.issued" : "ca.started"));
  const source = new MemorySource(events);
  const { pipeline } = await testPipeline(t, source, new ScriptedSink(), { routedKinds: store });
  await pipeline.run(neverStopped);
  assert.deepEqual(new Set(store.kinds), new Set([routed("crl.issued"), routed("ca.started")]));
  assert.ok(store.saves <= 2, `${store.saves} saves`);
  const again = new MemorySource(events);
  const next = await testPipeline(t, again, new ScriptedSink(), { routedKinds: store });
  const before = store.saves;
  await next.pipeline.run(neverStopped);
  assert.equal(store.saves, before, "what is known is not written again");
});

test("a write that fails is an alarm, is tried again, and stops no event", async (t) => {
  let isFull = true;
  const store = memoryStore(() => isFull);
  const events = range(1, 100).map((n) => eventOf(n, "crl.issued"));
  const { pipeline, logLines, end } = await start(t, new ScriptedSink(), store, events);
  await until(() => pipeline.stats().acknowledgedEvents === 100, "everything is published");
  await until(() => store.saves > 3, "the write is tried again");
  assert.equal(pipeline.stats().state, "alarm");
  const message = "cannot write which kinds of events were routed";
  const { level, error } = logLines.find(({ msg }) => msg === message) ?? {};
  assert.deepEqual([level, error], [50, "no space"]);
  isFull = false;
  await until(() => pipeline.stats().state === "publishing", "the alarm is over");
  await end();
  assert.deepEqual(store.kinds, [routed("crl.issued")]);
});

test("a write that hangs holds up neither events nor a stop", async (t) => {
  const store = memoryStore();
  store.save = () => {
    store.saves += 1;
    return new Promise(() => undefined);
  };
  const events = range(1, 100).map((n) => eventOf(n, "crl.issued"));
  const { pipeline, end } = await start(t, new ScriptedSink(), store, events);
  await until(() => pipeline.stats().acknowledgedEvents === 100, "everything is published");
  await settled(end(), "the pipeline has ended");
  assert.equal(store.saves, 1);
});

test("a stop tries a write once more, and does not wait until it can be done", async (t) => {
  const store = memoryStore(() => true);
  const { pipeline, end } = await start(t, new ScriptedSink(), store, [eventOf(1, "crl.issued")]);
  await until(() => store.saves > 0, "the write has failed");
  await end();
  assert.deepEqual([store.kinds, pipeline.stats().state], [[], "stopped"]);
});
