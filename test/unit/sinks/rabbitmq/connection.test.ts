import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startFakeRabbitMq } from "../../../support/fake-rabbitmq.ts";
import { rabbitMqSink } from "../../../support/make-sink.ts";
import { sampleOutbound } from "../../../support/sample-events.ts";

const signal = new AbortController().signal;

test("a connection without confirms ends once for all lanes, and the next one is left alone", async (t) => {
  const broker = await startFakeRabbitMq((connection) => connection > 1);
  const settings = { lanes: 2, confirmTimeoutMs: 1000 };
  const sink = rabbitMqSink([broker.url], "events", settings);
  t.after(async () => {
    await sink.close();
    broker.stop();
  });
  await sink.open(signal);
  const started = performance.now();
  const first = sink.publish(0, [sampleOutbound(1)], signal);
  await sleep(600);
  const second = sink.publish(1, [sampleOutbound(2)], signal);
  const outcomes = await Promise.all([first, second]);
  const tookMs = performance.now() - started;
  assert.deepEqual(
    outcomes.map(({ failure }) => failure?.kind),
    ["reset", "reset"],
  );
  assert.ok(tookMs < 1500, `the second lane waited for its own time-out: ${tookMs} ms`);
  assert.deepEqual(await sink.publish(0, [sampleOutbound(1)], signal), { acknowledged: 1 });
  assert.deepEqual(await sink.publish(1, [sampleOutbound(2)], signal), { acknowledged: 1 });
  assert.equal(broker.connections(), 2);
});
