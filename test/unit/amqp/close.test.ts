import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { connect } from "amqplib";
import { closeOrderly } from "../../../src/amqp/close.ts";
import { type FakeOptions, startFakeRabbitMq } from "../../support/fake-rabbitmq.ts";
import { settled } from "../../support/until.ts";

const connectionClose = "10.50";
const channelClose = "20.40";

async function setUp(t: TestContext, options: FakeOptions = {}) {
  const broker = await startFakeRabbitMq(() => true, options);
  t.after(() => broker.stop());
  const model = await connect(broker.url);
  model.on("error", () => undefined);
  return { broker, model, channel: await model.createChannel() };
}

/** A broker that ends the connection where a method asks for an answer. */
function endingAt(wanted: string): FakeOptions {
  const reply = { closes: "connection", replyCode: 320, replyText: "CONNECTION_FORCED" } as const;
  return { refuse: ({ method }) => (method === wanted ? reply : undefined) };
}

test("a channel and then its connection are closed once the broker has answered", async (t) => {
  const { broker, model, channel } = await setUp(t);
  await settled(closeOrderly(channel), "the channel is closed");
  await settled(closeOrderly(model), "the connection is closed");
  const methods = broker.requests().map(({ method }) => method);
  assert.deepEqual(methods.slice(-2), [channelClose, connectionClose]);
});

test("closing a channel ends with its connection", async (t) => {
  const { channel } = await setUp(t, endingAt(channelClose));
  await assert.rejects(settled(closeOrderly(channel), "the wait is over"), /before the broker/);
});

for (const [about, wanted] of [
  ["channel", channelClose],
  ["connection", connectionClose],
] as const) {
  test(`closing a ${about} ends when the socket does`, async (t) => {
    const { broker, model, channel } = await setUp(t, {
      refuse: ({ method }) => (method === wanted ? "silent" : undefined),
    });
    const closing = closeOrderly(about === "channel" ? channel : model);
    broker.stop();
    await assert.rejects(settled(closing, "the wait is over"), /before the broker/);
  });
}

test("what is closed already cannot be closed again", async (t) => {
  const { model, channel } = await setUp(t);
  await closeOrderly(channel);
  await assert.rejects(settled(closeOrderly(channel), "the wait is over"), /closed/i);
  await closeOrderly(model);
  await assert.rejects(settled(closeOrderly(model), "the wait is over"), /closed/i);
});
