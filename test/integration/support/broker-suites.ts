import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { connect } from "amqplib";
import type { BrokerProvider, KafkaCluster, RabbitmqCluster } from "./broker-provider.ts";
import { produceKafka, readKafka } from "./read-kafka.ts";
import { produceRabbitmq, readRabbitmq } from "./read-rabbitmq.ts";
import { syncRabbitmq } from "./sync-rabbitmq.ts";

/** Registers the suites that every provider must pass. */
export function testProvider(provider: BrokerProvider): void {
  suite(`Kafka by ${provider.name}`, () => {
    let kafka: KafkaCluster;
    before(async () => {
      kafka = await provider.startKafka();
    });
    after(() => kafka.stop());

    test("keeps its records over a hard kill", async () => {
      await kafka.createTopic("kept", { partitions: 2 });
      await produceKafka(kafka.bootstrapServers, "kept", 1, ["first", "second"]);
      await kafka.kill9(1);
      await assert.rejects(readKafka(kafka.bootstrapServers, "kept"));
      await kafka.restart(1);
      const messages = await readKafka(kafka.bootstrapServers, "kept");
      assert.deepEqual(
        messages.map(({ partition, offset, value }) => [partition, offset, value]),
        [
          [1, 0, "first"],
          [1, 1, "second"],
        ],
      );
    });
  });

  suite(`RabbitMQ by ${provider.name}`, () => {
    let rabbitmq: RabbitmqCluster;
    before(async () => {
      rabbitmq = await provider.startRabbitmq();
    });
    after(() => rabbitmq.stop());

    test("keeps its persistent messages over a hard kill", async () => {
      const [url = ""] = rabbitmq.urls;
      await declareQuorumQueue(url, "kept");
      await produceRabbitmq(url, "kept", "first");
      await produceRabbitmq(url, "kept", "second");
      await syncRabbitmq(rabbitmq);
      await rabbitmq.kill9(1);
      await assert.rejects(readRabbitmq(url, "kept"));
      await rabbitmq.restart(1);
      assert.deepEqual(await readRabbitmq(url, "kept"), ["first", "second"]);
      assert.deepEqual(await readRabbitmq(url, "kept"), []);
    });

    test("answers rabbitmqctl", async () => {
      assert.match(await rabbitmq.ctl(1, "list_queues", "name"), /kept/);
    });
  });
}

async function declareQuorumQueue(url: string, queue: string): Promise<void> {
  const connection = await connect(url);
  const channel = await connection.createChannel();
  await channel.assertQueue(queue, { arguments: { "x-queue-type": "quorum" } });
  await connection.close();
}
