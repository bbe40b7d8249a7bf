import { test } from "node:test";
import { connect } from "amqplib";
import { kafkaTopic } from "../../src/consumer/kafka/topic-source.ts";
import { rabbitMqQueue } from "../../src/consumer/rabbitmq/queue-source.ts";
import { assertConsumedOnce } from "../support/consumed-once.ts";
import { drainQueue } from "../support/drain-queue.ts";
import { killBackfills } from "../support/killed-backfills.ts";
import { startKafka, startRabbitmq } from "./support/brokers.ts";
import { leaveRabbitmq } from "./support/leave-rabbitmq.ts";
import { readKafka } from "./support/read-kafka.ts";

function idIn(body: string | null): string {
  return (JSON.parse(body ?? "") as { id: string }).id;
}

test("a backfill to Kafka that is killed again and again leaves nothing out, and a consumer gets each event once", async (t) => {
  const kafka = await startKafka();
  t.after(() => kafka.stop());
  const topic = `backfill-crash-${Date.now()}`;
  await kafka.createTopic(topic, { partitions: 6 });
  const brokers = kafka.bootstrapServers;
  const url = `kafka://${brokers.join()}/${topic}`;
  const killed = await killBackfills(t, { url }, async () => {
    return (await readKafka(brokers, topic)).map(({ value }) => idIn(value));
  });
  const client = { brokers: [...brokers] };
  await assertConsumedOnce(t, kafkaTopic({ client, topic, groupId: topic }), killed.arrived);
});

test("a backfill to RabbitMQ that is killed again and again leaves nothing out, and a consumer gets each event once", async (t) => {
  const rabbitmq = await startRabbitmq();
  const exchange = `backfill-crash-${Date.now()}`;
  const [broker = ""] = rabbitmq.urls;
  // One is emptied after each kill, the other is for the consumer.
  const [counted, consumed] = [`${exchange}-counted`, `${exchange}-consumed`];
  t.after(() => leaveRabbitmq(rabbitmq, [exchange, counted, consumed]));
  const connection = await connect(broker);
  const channel = await connection.createChannel();
  await channel.assertExchange(exchange, "topic");
  for (const queue of [counted, consumed]) {
    await channel.assertQueue(queue, { arguments: { "x-queue-type": "quorum" } });
    await channel.bindQueue(queue, exchange, "#");
  }
  await connection.close();
  const url = `amqp://guest@${new URL(broker).host}/?exchange=${exchange}`;
  const arrived: string[] = [];
  const killed = await killBackfills(t, { url, window: 20 }, async () => {
    arrived.push(...(await drainQueue(broker, counted)).map(idIn));
    return [...arrived];
  });
  await assertConsumedOnce(
    t,
    rabbitMqQueue({ connection: broker, queue: consumed }),
    killed.arrived,
  );
});
