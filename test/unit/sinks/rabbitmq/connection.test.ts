import assert from "node:assert/strict";
import { test } from "node:test";
import { startFakeRabbitMq } from "../../../support/fake-rabbitmq.ts";
import { rabbitMqSink } from "../../../support/make-sink.ts";
import { sampleOutbound } from "../../../support/sample-events.ts";
import { settled, until } from "../../../support/until.ts";

const signal = new AbortController().signal;

test("a connection without confirms ends once for all lanes, and the next one is left alone", async (t) => {
  const clock = { ms: 0 };
  t.mock.method(performance, "now", () => clock.ms);
  const broker = await startFakeRabbitMq((connection) => connection > 1);
  const settings = { lanes: 2, confirmTimeoutMs: 1000 };
  const sink = rabbitMqSink([broker.url], "events", settings);
  t.after(async () => {
    await sink.close();
    broker.stop();
  });
  await sink.open(signal);
  const first = sink.publish(0, [sampleOutbound(1)], signal);
  await until(() => broker.messages() === 1, "the first lane waits for its confirm");
  clock.ms = 600;
  const second = sink.publish(1, [sampleOutbound(2)], signal);
  await until(() => broker.messages() === 2, "the second lane waits for its confirm");
  // The time of the first lane is over, that of the second never will be.
  clock.ms = 1100;
  const outcomes = await settled(Promise.all([first, second]), "both lanes have given up");
  assert.deepEqual(
    outcomes.map(({ failure }) => failure?.kind),
    ["reset", "reset"],
  );
  assert.deepEqual(await sink.publish(0, [sampleOutbound(1)], signal), { acknowledged: 1 });
  assert.deepEqual(await sink.publish(1, [sampleOutbound(2)], signal), { acknowledged: 1 });
  assert.equal(broker.connections(), 2);
});
