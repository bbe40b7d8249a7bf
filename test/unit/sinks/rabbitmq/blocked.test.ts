import assert from "node:assert/strict";
import { test } from "node:test";
import { CertwireError } from "../../../../src/errors/certwire-error.ts";
import { startFakeRabbitMq } from "../../../support/fake-rabbitmq.ts";
import { rabbitMqSink } from "../../../support/make-sink.ts";
import { sampleOutbound } from "../../../support/sample-events.ts";
import { settled, turns, until } from "../../../support/until.ts";

const signal = new AbortController().signal;
const connectionOpen = "10.40";
const channelOpen = "20.10";

test("a connection that is blocked in the same read as it opened says so", async (t) => {
  const broker = await startFakeRabbitMq(() => true, {
    append: ({ method }) => (method === connectionOpen ? "blocked" : undefined),
  });
  const sink = rabbitMqSink([broker.url], "events");
  t.after(async () => {
    await sink.close();
    broker.stop();
  });
  await sink.open(signal);
  assert.equal(sink.isBlocked, true);
});

for (const [end, outcome] of [
  ["unblock", "sends"],
  ["cut", "gives back"],
] as const) {
  test(`what waits for a blocked connection is not kept waiting by a timer: a ${end} ${outcome} it at once`, async (t) => {
    const broker = await startFakeRabbitMq(() => true);
    const sink = rabbitMqSink([broker.url], "events", { lanes: 2 });
    t.after(async () => {
      await sink.close();
      broker.stop();
    });
    await sink.open(signal);
    broker.block();
    await until(() => sink.isBlocked, "the sink knows");
    t.mock.timers.enable({ apis: ["setInterval"] });
    const publishing = [0, 1].map((lane) => sink.publish(lane, [sampleOutbound(lane)], signal));
    await turns();
    // The timers of the publishes never fire, while amqplib can clear its own.
    t.mock.timers.reset();
    assert.equal(broker.messages(), 0);
    broker[end]();
    const outcomes = await settled(Promise.all(publishing), "both publishes have ended");
    const isSent = end === "unblock";
    for (const { acknowledged, failure } of outcomes) {
      assert.equal(acknowledged, isSent ? 1 : 0);
      assert.equal(failure?.kind, isSent ? undefined : "reset");
    }
  });
}

test("a sink says that the broker blocks it while it still opens its channels", async () => {
  const broker = await startFakeRabbitMq(() => true, {
    append: ({ method }) => (method === connectionOpen ? "blocked" : undefined),
    refuse: ({ method }) => (method === channelOpen ? "silent" : undefined),
  });
  const sink = rabbitMqSink([broker.url], "events");
  const opening = sink.open(signal);
  const refused = assert.rejects(opening, CertwireError);
  await until(() => sink.isBlocked, "the sink knows");
  broker.stop();
  await refused;
  assert.equal(sink.isBlocked, false);
  await sink.close();
});
