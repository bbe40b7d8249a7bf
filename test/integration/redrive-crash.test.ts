import { test } from "node:test";
import { drainQueue } from "../support/drain-queue.ts";
import { killRedrives } from "../support/killed-redrives.ts";
import { startKafka, startRabbitmq } from "./support/brokers.ts";
import { leaveRabbitmq } from "./support/leave-rabbitmq.ts";
import { readKafka } from "./support/read-kafka.ts";

test("a redrive to Kafka killed at any moment loses no letter, and repeats only what was not marked", async (t) => {
  const kafka = await startKafka();
  t.after(() => kafka.stop());
  const topic = `redrive-crash-${Date.now()}`;
  await kafka.createTopic(topic, { partitions: 6 });
  const url = `kafka://${kafka.bootstrapServers.join()}/${topic}`;
  await killRedrives(t, { url, batchEvents: 5 }, async () => {
    const messages = await readKafka(kafka.bootstrapServers, topic);
    return messages.map(({ value }) => JSON.parse(value ?? ""));
  });
});

test("a redrive to RabbitMQ killed at any moment loses no letter, and repeats only what was not marked", async (t) => {
  const rabbitmq = await startRabbitmq();
  const name = `redrive-crash-${Date.now()}`;
  const [broker = ""] = rabbitmq.urls;
  t.after(() => leaveRabbitmq(rabbitmq, [name]));
  const url = `amqp://guest@${new URL(broker).host}/?exchange=${name}`;
  const topology = { quorumQueues: [{ name }] };
  await killRedrives(t, { url, topology, window: 20, batchEvents: 5 }, async () => {
    return (await drainQueue(broker, name)).map((body) => JSON.parse(body));
  });
});
