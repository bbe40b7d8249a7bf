import assert from "node:assert/strict";
import { test } from "node:test";
import { connectAmqp } from "../../../src/amqp/connect.ts";
import { startFakeRabbitMq } from "../../support/fake-rabbitmq.ts";
import { startMuteServer } from "../../support/mute-server.ts";
import { patienceMs, settled, until } from "../../support/until.ts";

const options = { name: "test", timeoutMs: patienceMs };

test("a connection that ends in the same read as it opened is an error of the attempt", async (t) => {
  const broker = await startFakeRabbitMq(() => true, {
    append: ({ method }) =>
      method === "10.40"
        ? { closes: "connection", replyCode: 541, replyText: "INTERNAL_ERROR" }
        : undefined,
  });
  t.after(() => broker.stop());
  await assert.rejects(settled(connectAmqp(broker.url, options), "it has failed"), /541/);
});

test("the broker closing a connection ends no process, and shows the name of the connection", async (t) => {
  const broker = await startFakeRabbitMq(() => true);
  t.after(() => broker.stop());
  const model = await connectAmqp(broker.url, options);
  const closed = new Promise((resolve) => void model.once("close", resolve));
  broker.close(320, "CONNECTION_FORCED");
  await settled(closed, "the connection has ended");
  const [start] = broker.requests();
  assert.match(start?.text ?? "", /connection_name.*test/s);
});

test("a signal ends an attempt to connect, and is let go of by one that has succeeded", async (t) => {
  const server = await startMuteServer(t);
  const stop = new AbortController();
  const url = `amqp://127.0.0.1:${server.port}`;
  const connecting = connectAmqp(url, { ...options, signal: stop.signal });
  connecting.catch(() => undefined);
  await until(() => server.open() === 1, "the socket is open");
  const broker = await startFakeRabbitMq(() => true);
  t.after(() => broker.stop());
  const model = await connectAmqp(broker.url, { ...options, signal: stop.signal });
  stop.abort();
  await assert.rejects(settled(connecting, "the attempt has ended"), { name: "AbortError" });
  await until(() => server.open() === 0, "the socket is closed");
  await settled(model.createChannel(), "the other connection is open");
  await model.close();
  const late = connectAmqp(url, { ...options, signal: stop.signal });
  await assert.rejects(settled(late, "no attempt is made"), { name: "AbortError" });
});
