import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "amqplib";
import type { KafkaCluster, RabbitmqCluster } from "./support/broker-provider.ts";
import { startKafka, startRabbitmq } from "./support/brokers.ts";
import { produceKafka, readKafka } from "./support/read-kafka.ts";
import { produceRabbitmq, readRabbitmq } from "./support/read-rabbitmq.ts";

suite("the Kafka that tests get", { timeout: 180_000 }, () => {
  let kafka: KafkaCluster;
  before(async () => {
    kafka = await startKafka({ faults: true });
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

suite("the RabbitMQ that tests get", { timeout: 180_000 }, () => {
  let rabbitmq: RabbitmqCluster;
  before(async () => {
    rabbitmq = await startRabbitmq({ faults: true });
  });
  after(() => rabbitmq.stop());

  test("keeps its persistent messages over a hard kill", async () => {
    const [url = ""] = rabbitmq.urls;
    const connection = await connect(url);
    const channel = await connection.createChannel();
    await channel.assertQueue("kept", { arguments: { "x-queue-type": "quorum" } });
    await connection.close();
    await produceRabbitmq(url, "kept", "first");
    await produceRabbitmq(url, "kept", "second");
    // RabbitMQ writes down that a queue exists a moment after it has said so.
    await sleep(2_000);
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
