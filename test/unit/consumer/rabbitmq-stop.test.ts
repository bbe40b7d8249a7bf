import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChannelModel, connect } from "amqplib";
import type { OffsetStore } from "../../../src/consumer/rabbitmq/offset-store.ts";
import { rabbitMqQueue } from "../../../src/consumer/rabbitmq/queue-source.ts";
import { rabbitMqStream } from "../../../src/consumer/rabbitmq/stream-source.ts";
import { startFakeRabbitMq } from "../../support/fake-rabbitmq.ts";
import { FakeStream } from "../../support/fake-stream.ts";
import { startMuteServer } from "../../support/mute-server.ts";
import { RunningConsumer } from "../../support/running-consumer.ts";
import { sampleEvent } from "../../support/sample-events.ts";
import { settled, until } from "../../support/until.ts";

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

for (const [about, method] of [
  ["opens no channel", "20.10"],
  ["grants no prefetch", "60.10"],
  ["accepts no consumer", "60.20"],
] as const) {
  test(`a consumer stops although the broker ${about}`, async (t) => {
    const broker = await startFakeRabbitMq(() => true, {
      refuse: (request) => (request.method === method ? "silent" : undefined),
    });
    t.after(() => broker.stop());
    // The clock stands still, so no limit of a wait ends it.
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const source = rabbitMqQueue({ connection: broker.url, queue: "inventory" });
    const run = new RunningConsumer(t, source);
    const isAsked = () => broker.requests().some((request) => request.method === method);
    await run.until(isAsked, "the broker is asked");
    await run.stop();
    assert.deepEqual(lostLines(run), []);
  });
}

test("a consumer stops while its broker says nothing, and leaves no socket open", async (t) => {
  const server = await startMuteServer(t);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const connection = `amqp://127.0.0.1:${server.port}`;
  const run = new RunningConsumer(t, rabbitMqQueue({ connection, queue: "inventory" }));
  await run.until(() => server.open() === 1, "the socket is open");
  await run.stop();
  await until(() => server.open() === 0, "the socket is closed");
  assert.deepEqual(lostLines(run), []);
});

test("a consumer stops before its connect function has ended, and closes what that gives", async (t) => {
  const broker = await startFakeRabbitMq(() => true);
  t.after(() => broker.stop());
  let give: ((model: ChannelModel) => void) | undefined;
  const connection = (): Promise<ChannelModel> =>
    new Promise((resolve) => {
      give = resolve;
    });
  const run = new RunningConsumer(t, rabbitMqQueue({ connection, queue: "inventory" }));
  await run.until(() => give !== undefined, "the function is called");
  await run.stop();
  give?.(await connect(broker.url));
  const isClosed = () => broker.requests().some(({ method }) => method === "10.50");
  await until(isClosed, "the late connection is closed");
});

test("a consumer of a stream stops although its store gives no place", async (t) => {
  const broker = await startFakeRabbitMq(() => true, { stream: new FakeStream() });
  t.after(() => broker.stop());
  let isAsked = false;
  const offsets: OffsetStore = {
    load() {
      isAsked = true;
      return new Promise(() => undefined);
    },
    save: async () => undefined,
  };
  const source = rabbitMqStream({ connection: broker.url, stream: "s", offsets });
  const run = new RunningConsumer(t, source);
  await run.until(() => isAsked, "the store is asked");
  await run.stop();
});

test("a store that saves no place ends the stop with an error", async (t) => {
  const stream = new FakeStream();
  const broker = await startFakeRabbitMq(() => true, { stream });
  t.after(() => broker.stop());
  stream.append(JSON.stringify(sampleEvent(1)));
  const offsets: OffsetStore = {
    load: async () => undefined,
    save: () => new Promise(() => undefined),
  };
  const source = rabbitMqStream({ connection: broker.url, stream: "s", offsets });
  const run = new RunningConsumer(t, source);
  await run.untilHandled(1);
  const ended = settled(run.ended, "the consumer has ended");
  await settled(run.consumer.stop(), "the consumer has stopped");
  await assert.rejects(ended, { code: "CERTWIRE_OFFSETS_FAILED", message: /not saved within 5 s/ });
});

function lostLines(run: RunningConsumer) {
  return run.lines.filter(({ msg }) => msg === "lost the connection");
}
