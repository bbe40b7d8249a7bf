import assert from "node:assert/strict";
import { test } from "node:test";
import type { JournalFrame } from "../../../src/journal/frame.ts";
import type { FrameSource } from "../../../src/journal/frame-source.ts";
import type { SinkFailure } from "../../../src/sinks/sink.ts";
import { JournalSource } from "../../../src/sources/journal-source.ts";
import { encodeRecord, eventContext, frameOf } from "../../support/exit-records.ts";
import { MemorySource } from "../../support/memory-source.ts";
import { neverStopped, range, testPipeline } from "../../support/run-pipeline.ts";
import { sampleEvent, samplePosition, sequenceOf } from "../../support/sample-events.ts";
import { ScriptedSink } from "../../support/scripted-sink.ts";
import { until } from "../../support/until.ts";

const cause = new Error("too large for the broker");

/** A sink that refuses one event for as long as `refuses` says so. */
function refusing(sequence: number, failure: SinkFailure, refuses: () => boolean = () => true) {
  const sink = new ScriptedSink();
  sink.script = ({ sequences }) => {
    const at = sequences.indexOf(sequence);
    return at === -1 || !refuses() ? undefined : { acknowledged: at, failure };
  };
  return sink;
}

/** Eight events; the fourth is the only one of its kind. */
function source() {
  const events = range(1, 8).map((n) => sampleEvent(n));
  return new MemorySource(events.with(3, ofAnotherKind));
}

const ofAnotherKind = { ...sampleEvent(4), type: "io.certwire.crl.issued.v1" };

test("an event that the broker refuses permanently becomes a dead letter and the rest is published", async (t) => {
  const sink = refusing(4, { kind: "poison", cause });
  const { pipeline, saved, deadLetters } = await testPipeline(t, source(), sink);
  await pipeline.run(neverStopped);
  assert.deepEqual(sink.accepted, [1, 2, 3, 5, 6, 7, 8]);
  const [letter, ...others] = await deadLetters();
  assert.equal(others.length, 0);
  assert.equal(letter?.reason, "rejected");
  assert.equal(letter?.message, cause.message);
  assert.deepEqual(letter?.event, ofAnotherKind);
  assert.deepEqual(saved.at(-1), samplePosition(8));
  assert.equal(pipeline.stats().deadLetters.rejected, 1);
  assert.equal(pipeline.stats().acknowledgedEvents, 7);
});

test("an unroutable event is tried for its time first, and is not a dead letter if that helps", async (t) => {
  let refusals = 0;
  const sink = refusing(4, { kind: "unroutable", cause }, () => ++refusals <= 3);
  const { pipeline, deadLetters } = await testPipeline(t, source(), sink, {
    deadLetterAfterSeconds: 60,
  });
  await pipeline.run(neverStopped);
  assert.deepEqual(sink.accepted, range(1, 8));
  assert.equal(pipeline.stats().failures.unroutable, 3);
  await assert.rejects(deadLetters(), { code: "ENOENT" });
});

test("an unroutable event becomes a dead letter when its time is over", async (t) => {
  const sink = refusing(4, { kind: "unroutable", cause });
  const { pipeline, deadLetters } = await testPipeline(t, source(), sink, {
    deadLetterAfterSeconds: 0.05,
  });
  await pipeline.run(neverStopped);
  assert.deepEqual(sink.accepted, [1, 2, 3, 5, 6, 7, 8]);
  assert.deepEqual(
    (await deadLetters()).map(({ reason, event }) => [reason, event && sequenceOf(event)]),
    [["unroutable", 4]],
  );
  assert.ok(pipeline.stats().failures.unroutable > 2, "it was tried more than once");
});

test("an event that nothing takes raises the alarm while it waits, and the alarm ends with it", async (t) => {
  const states: string[] = [];
  const sink = refusing(4, { kind: "unroutable", cause }, () => {
    states.push(pipeline.stats().state);
    return true;
  });
  const { pipeline } = await testPipeline(t, source(), sink, { deadLetterAfterSeconds: 0.02 });
  await pipeline.run(neverStopped);
  assert.equal(states[1], "alarm");
  assert.deepEqual(sink.accepted, [1, 2, 3, 5, 6, 7, 8]);
});

test("config and auth failures are retried without limit and raise the alarm", async (t) => {
  const sink = new ScriptedSink();
  const { pipeline, logLines } = await testPipeline(t, source(), sink);
  const states: string[] = [];
  sink.script = (_batch, call) => {
    states.push(pipeline.stats().state);
    if (call > 30) return undefined;
    return { acknowledged: 0, failure: { kind: call % 2 ? "config" : "auth", cause } };
  };
  await pipeline.run(neverStopped);
  assert.deepEqual(sink.accepted, range(1, 8));
  assert.equal(states[1], "alarm");
  assert.ok(logLines.some(({ level, kind }) => level === 50 && kind === "auth"));
});

test("a record that cannot be decoded is kept with its bytes, and the cursor moves on", async (t) => {
  const record = encodeRecord({});
  const frames = range(1, 5).map((n) =>
    frameOf(n === 3 ? Buffer.from([3]) : record, {
      sequence: BigInt(n),
      position: samplePosition(n),
    }),
  );
  const chunks: JournalFrame[][] = [frames];
  const frameSource: FrameSource = {
    async next() {
      const next = chunks.shift();
      return next ? { frames: next, more: false } : null;
    },
    close() {},
  };
  const sink = new ScriptedSink();
  const events = new JournalSource({ frames: frameSource, context: eventContext() });
  const { pipeline, saved, deadLetters } = await testPipeline(t, events, sink);
  await pipeline.run(neverStopped);
  assert.deepEqual(sink.accepted, [1, 2, 4, 5]);
  const [letter] = await deadLetters();
  assert.equal(letter?.reason, "undecodable");
  assert.equal(letter?.record?.payload, Buffer.from([3]).toString("base64"));
  assert.deepEqual(saved.at(-1), samplePosition(5));
  assert.equal(pipeline.stats().deadLetters.undecodable, 1);
});

test("an event that cannot be written as JSON becomes a dead letter", async (t) => {
  const bad = { ...sampleEvent(2), data: { serial: 7n } };
  const sink = new ScriptedSink();
  const events = new MemorySource([sampleEvent(1), bad, sampleEvent(3)]);
  const { pipeline, deadLetters } = await testPipeline(t, events, sink);
  await pipeline.run(neverStopped);
  assert.deepEqual(sink.accepted, [1, 3]);
  assert.deepEqual((await deadLetters())[0]?.event?.data, { serial: "7" });
});

test("a sink that accepts smaller events than before gets what is in flight made smaller, in order", async (t) => {
  const sink = new ScriptedSink(1, { batchEvents: 3, maxEventBytes: 100_000 });
  const asked: number[] = [];
  const sizes: number[] = [];
  const publish = sink.publish.bind(sink);
  sink.publish = (lane, batch, signal) => {
    if (sink.opened > 1) sizes.push(...batch.map(({ json }) => json.length));
    return publish(lane, batch, signal);
  };
  sink.onOpen = () => {
    if (sink.opened > 1) sink.limits = { ...sink.limits, maxEventBytes: 2000 };
  };
  sink.script = () =>
    sink.opened === 1
      ? { acknowledged: 0, failure: { kind: "reset", scope: "sink", cause } }
      : undefined;
  const events = range(1, 5).map((n) => sampleEvent(n, "ca-1", n % 2 === 0 ? 5000 : 0));
  const { pipeline, saved } = await testPipeline(t, new MemorySource(events), sink, {
    shrink: (event, maxBytes) => {
      asked.push(maxBytes);
      return { ...event, data: {} };
    },
  });
  await pipeline.run(neverStopped);
  assert.deepEqual(sink.accepted, range(1, 5));
  assert.deepEqual(asked, [2000, 2000]);
  assert.ok(
    sizes.every((bytes) => bytes <= 2000),
    sizes.join(" "),
  );
  assert.deepEqual(saved.at(-1), samplePosition(5));
  assert.equal(pipeline.stats().inFlightBytes, 0);
});

test("an event above the sink's limit is made smaller before it is published", async (t) => {
  const sink = new ScriptedSink(1, { maxEventBytes: 2000 });
  const asked: number[] = [];
  const { pipeline } = await testPipeline(
    t,
    new MemorySource([sampleEvent(1), sampleEvent(2, "ca-1", 5000)]),
    sink,
    {
      shrink: (event, maxBytes) => {
        asked.push(maxBytes);
        return { ...event, data: {} };
      },
    },
  );
  await pipeline.run(neverStopped);
  assert.deepEqual(asked, [2000]);
  assert.deepEqual(sink.accepted, [1, 2]);
});

/** A pipeline over frames that come in one chunk, decoded by `context`. */
function sourceOf(frames: readonly JournalFrame[], context = eventContext()): JournalSource {
  const chunks: (readonly JournalFrame[])[] = [frames];
  const frameSource: FrameSource = {
    async next() {
      const next = chunks.shift();
      return next ? { frames: [...next], more: false } : null;
    },
    close() {},
  };
  return new JournalSource({ frames: frameSource, context });
}

function framesWith(schemas: readonly number[]): JournalFrame[] {
  return schemas.map((schema, at) =>
    frameOf(encodeRecord({}), {
      schema,
      sequence: BigInt(at + 1),
      position: samplePosition(at + 1),
    }),
  );
}

test("a record of a later version waits with an alarm, and is no dead letter", async (t) => {
  const sink = new ScriptedSink();
  const records = sourceOf(framesWith([1, 2, 1]));
  const { pipeline, saved, logLines, deadLetters } = await testPipeline(t, records, sink);
  const stop = new AbortController();
  const running = pipeline.run(stop.signal);
  const waits = () => logLines.some(({ code }) => code === "CERTWIRE_RECORD_NEWER");
  await until(
    () => waits() && sink.accepted.length === 1,
    "the record waits, the one before went out",
  );
  assert.equal(pipeline.stats().state, "alarm");
  assert.ok(logLines.some(({ hint }) => /Update the service/.test(String(hint))));
  stop.abort();
  await running;
  assert.deepEqual(sink.accepted, [1]);
  assert.deepEqual(saved.at(-1), samplePosition(1));
  await assert.rejects(deadLetters(), { code: "ENOENT" });
});

test("a record that fails for want of memory is published once there is memory", async (t) => {
  const context = eventContext();
  const { identity } = context;
  const resolve = identity.resolve.bind(identity);
  let failures = 0;
  identity.resolve = (...place) => {
    failures += 1;
    if (failures <= 3) throw new RangeError("Array buffer allocation failed");
    return resolve(...place);
  };
  const sink = new ScriptedSink();
  const records = sourceOf(framesWith([1, 1]), context);
  const { pipeline, deadLetters } = await testPipeline(t, records, sink);
  await pipeline.run(neverStopped);
  assert.deepEqual(sink.accepted, [1, 2]);
  await assert.rejects(deadLetters(), { code: "ENOENT" });
});

test("an event that is encoded for want of memory later waits, and is published", async (t) => {
  const sink = new ScriptedSink(1, { maxEventBytes: 2000 });
  let failures = 0;
  const records = new MemorySource([sampleEvent(1, "ca-1", 5000), sampleEvent(2)]);
  const { pipeline, deadLetters } = await testPipeline(t, records, sink, {
    shrink: (event) => {
      failures += 1;
      if (failures <= 3) throw new RangeError("Array buffer allocation failed");
      return { ...event, data: {} };
    },
  });
  await pipeline.run(neverStopped);
  assert.deepEqual(sink.accepted, [1, 2]);
  await assert.rejects(deadLetters(), { code: "ENOENT" });
});

test("an event that JSON cannot hold is kept as the record it was made of, or as text", async (t) => {
  const sink = new ScriptedSink(1, { maxEventBytes: 10 });
  const shrink = () => {
    throw new TypeError("a fault of ours");
  };
  const [frame] = framesWith([1]);
  assert.ok(frame);
  const journal = await testPipeline(t, sourceOf([frame]), sink, { shrink });
  await journal.pipeline.run(neverStopped);
  const [letter] = await journal.deadLetters();
  assert.deepEqual([letter?.reason, letter?.event], ["unencodable", undefined]);
  assert.equal(letter?.record?.payload, frame.payload.toString("base64"));
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  const records = new MemorySource([{ ...sampleEvent(1), data: circular }]);
  const file = await testPipeline(t, records, new ScriptedSink());
  await file.pipeline.run(neverStopped);
  assert.match((await file.deadLetters())[0]?.text ?? "", /Circular/);
});

test("the state is alarm while events go to dead letters", async (t) => {
  const sink = refusing(4, { kind: "poison", cause });
  const { pipeline } = await testPipeline(t, source(), sink);
  const states: string[] = [];
  const script = sink.script;
  sink.script = (...call) => {
    states.push(pipeline.stats().state);
    return script?.(...call);
  };
  await pipeline.run(neverStopped);
  assert.deepEqual([states[0], states.at(-1)], ["publishing", "alarm"]);
});
