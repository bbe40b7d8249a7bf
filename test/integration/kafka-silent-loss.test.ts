import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { Kafka, logLevel, Partitioners, type Producer } from "kafkajs";
import type { KafkaCluster } from "./support/broker-provider.ts";
import { startKafka } from "./support/brokers.ts";
import { readKafka } from "./support/read-kafka.ts";

const topic = "events";
const partitions = [0, 1, 2];

/**
 * kafkajs resolves a `send` over several partitions although one of them was never written, when its
 * leader has moved to a broker that also leads another of them (tulios/kafkajs#1303).
 */
suite("when a leader moves to a broker that leads another partition of the same batch", {
  timeout: 180_000,
}, () => {
  let kafka: KafkaCluster;

  before(async () => {
    kafka = await startKafka({ nodes: 3, faults: true });
    await kafka.createTopic(topic, {
      replicas: [
        [1, 2, 3],
        [2, 3, 1],
        [3, 1, 2],
      ],
    });
  });
  after(() => kafka.stop());

  test("one send over all partitions acknowledges an event that is nowhere", async () => {
    const producer = new Kafka({
      brokers: [...kafka.bootstrapServers],
      logLevel: logLevel.NOTHING,
    }).producer({ idempotent: true, createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    try {
      await sendOneToEach(producer, "before");
      const [, second] = await kafka.describe(topic);
      await kafka.moveLeader(topic, 0, second?.leader ?? 0);
      await sendOneToEach(producer, "after");
    } finally {
      await producer.disconnect();
    }

    assert.deepEqual(await idsInLog(), ["after-1", "after-2", "before-0", "before-1", "before-2"]);
  });

  const idsInLog = async (): Promise<string[]> =>
    (await readKafka(kafka.bootstrapServers, topic)).map(({ key }) => key ?? "").toSorted();
});

/** Resolves when kafkajs says that the event of every partition is safe. */
async function sendOneToEach(producer: Producer, prefix: string): Promise<void> {
  const messages = partitions.map((partition) => {
    return { partition, key: `${prefix}-${partition}`, value: "event" };
  });
  await producer.send({ topic, acks: -1, messages });
}
