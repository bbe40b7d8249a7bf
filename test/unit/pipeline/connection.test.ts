import assert from "node:assert/strict";
import { test } from "node:test";
import { MemorySource } from "../../support/memory-source.ts";
import { testPipeline } from "../../support/run-pipeline.ts";
import { sampleEvent } from "../../support/sample-events.ts";
import { ScriptedSink } from "../../support/scripted-sink.ts";
import { settled, until } from "../../support/until.ts";

const cause = new Error("gone");

async function running(t: Parameters<typeof testPipeline>[0]) {
  const sink = new ScriptedSink();
  const source = new MemorySource([], { tail: true });
  const { pipeline, logLines } = await testPipeline(t, source, sink);
  const stop = new AbortController();
  const ended = pipeline.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await settled(ended, "the pipeline has ended");
  });
  await until(() => pipeline.stats().isConnected, "the sink is connected");
  return { sink, source, pipeline, logLines };
}

test("a sink without events that loses its connection is retrying, then an alarm, until it is back", async (t) => {
  const { sink, pipeline, logLines } = await running(t);
  sink.connectionFailure = { kind: "reset", cause };
  await until(() => pipeline.stats().state === "retrying", "the loss is seen");
  assert.equal(pipeline.stats().isConnected, false);
  await until(() => pipeline.stats().state === "alarm", "it goes on");
  assert.ok(sink.reconnects >= 9, `${sink.reconnects} attempts`);
  sink.connectionFailure = undefined;
  await until(() => pipeline.stats().state === "publishing", "it is back");
  assert.equal(pipeline.stats().isConnected, true);
  assert.ok(logLines.some(({ msg }) => msg === "the sink is connected again"));
});

test("a sink whose broker refuses the new connection is an alarm at once", async (t) => {
  const { sink, pipeline } = await running(t);
  sink.connectionFailure = { kind: "auth", cause };
  await until(() => sink.reconnects > 0, "the loss is seen");
  assert.equal(pipeline.stats().state, "alarm");
});

test("while events are in flight the lanes connect, and nobody else", async (t) => {
  const { sink, source, pipeline } = await running(t);
  let publish: () => void = () => undefined;
  sink.script = () => new Promise((resolve) => (publish = () => resolve(undefined)));
  source.push(sampleEvent(1, "key-0"));
  await until(() => sink.batches.length === 1, "an event is in flight");
  sink.connectionFailure = { kind: "reset", cause };
  await until(() => !pipeline.stats().isConnected, "the loss is seen");
  assert.equal(sink.reconnects, 0);
  publish();
  await until(() => sink.reconnects > 0, "without an event the sink connects");
});
