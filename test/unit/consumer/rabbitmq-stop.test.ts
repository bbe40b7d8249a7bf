import assert from "node:assert/strict";
import { test } from "node:test";
import { rabbitMqQueue } from "../../../src/consumer/rabbitmq/queue-source.ts";
import { startFakeRabbitMq } from "../../support/fake-rabbitmq.ts";
import { RunningConsumer } from "../../support/running-consumer.ts";

for (const [about, method] of [
  ["channel", "20.40"],
  ["connection", "10.50"],
] as const) {
  test(`a consumer stops although the connection is lost while its ${about} closes`, async (t) => {
    const broker = await startFakeRabbitMq(() => true, {
      refuse: (request) => {
        if (request.method !== method) return undefined;
        broker.stop();
        return "silent";
      },
    });
    t.after(() => broker.stop());
    const source = rabbitMqQueue({ connection: broker.url, queue: "inventory" });
    const running = new RunningConsumer(t, source);
    const isConsuming = () => broker.requests().some((request) => request.method === "60.20");
    await running.until(isConsuming, "the queue has a consumer");
    await running.stop();
  });
}

test("a consumer stops although the broker answers no close", async (t) => {
  const broker = await startFakeRabbitMq(() => true, {
    refuse: ({ method }) => (method === "20.40" || method === "10.50" ? "silent" : undefined),
  });
  t.after(() => broker.stop());
  const source = rabbitMqQueue({ connection: broker.url, queue: "inventory" });
  const running = new RunningConsumer(t, source);
  const isConsuming = () => broker.requests().some(({ method }) => method === "60.20");
  await running.until(isConsuming, "the queue has a consumer");
  await running.stop();
});

test("a consumer connects again when the broker does not answer for a minute", async (t) => {
  const broker = await startFakeRabbitMq(() => true, {
    refuse: ({ connection, method }) =>
      connection === 1 && method === "60.20" ? "silent" : undefined,
  });
  t.after(() => broker.stop());
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const source = rabbitMqQueue({ connection: broker.url, queue: "inventory" });
  const running = new RunningConsumer(t, source);
  const consumers = () => broker.requests().filter(({ method }) => method === "60.20");
  await running.until(() => consumers().length === 1, "the broker is asked for a consumer");
  t.mock.timers.tick(60_000);
  t.mock.timers.reset();
  await running.until(() => consumers().length === 2, "it is asked on another connection");
  assert.equal(broker.connections(), 2);
  await running.stop();
});

test("a connection that ends in the same read as it opened is made again", async (t) => {
  const broker = await startFakeRabbitMq(() => true, {
    append: ({ connection, method }) =>
      connection === 1 && method === "10.40"
        ? { closes: "connection", replyCode: 541, replyText: "INTERNAL_ERROR" }
        : undefined,
  });
  t.after(() => broker.stop());
  const source = rabbitMqQueue({ connection: broker.url, queue: "inventory" });
  const running = new RunningConsumer(t, source);
  const isConsuming = () => broker.requests().some(({ method }) => method === "60.20");
  await running.until(isConsuming, "the queue has a consumer");
  assert.equal(broker.connections(), 2);
  const [lost] = running.lines.filter(({ msg }) => msg === "lost the connection");
  assert.match(String(lost?.["error"]), /541/);
  await running.stop();
});
