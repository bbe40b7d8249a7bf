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
