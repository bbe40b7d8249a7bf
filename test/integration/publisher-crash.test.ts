import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { assertDelivered } from "../contract/sink-contract.ts";
import { drainQueue } from "../support/drain-queue.ts";
import type { MarkedEvent } from "../support/killed-runs.ts";
import { range } from "../support/run-pipeline.ts";
import { sampleOutbound } from "../support/sample-events.ts";
import { startKafka, startRabbitmq } from "./support/brokers.ts";
import {
  killPublisher,
  publisherEvents,
  publisherKeys,
  reportRepetitions,
} from "./support/kill-publisher.ts";
import { leaveRabbitmq } from "./support/leave-rabbitmq.ts";
import { readKafka } from "./support/read-kafka.ts";

type KilledEntry = Parameters<typeof killPublisher>[1];

/** Kills the publisher again and again at random instants, and checks what arrived in the end. */
async function killAndFinish(
  t: TestContext,
  entry: KilledEntry,
  read: () => Promise<MarkedEvent[]>,
) {
  const killed = await killPublisher(t, entry);
  const arrived = await read();
  assertDelivered(
    arrived,
    range(1, publisherEvents).map((n) => sampleOutbound(n, `ca/${n % publisherKeys}`)),
  );
  reportRepetitions(t, arrived, killed);
}

test("a publisher to files killed with SIGKILL loses nothing and keeps the order of every key", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "certwire-crash-files-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const entry = { url: `file://${directory}`, maxFiles: 0, maxFileBytes: 200_000, batchEvents: 5 };
  await killAndFinish(t, entry, async () => {
    const names = (await readdir(directory)).filter((name) => name.endsWith(".ndjson")).toSorted();
    const texts = await Promise.all(names.map((name) => readFile(join(directory, name), "utf8")));
    return texts.flatMap((text) => text.split("\n").flatMap(parseWholeLine));
  });
});

test("a publisher to Kafka killed with SIGKILL loses nothing and keeps the order of every key", async (t) => {
  const kafka = await startKafka();
  t.after(() => kafka.stop());
  const topic = `crash-${Date.now()}`;
  await kafka.createTopic(topic, { partitions: 6 });
  const url = `kafka://${kafka.bootstrapServers.join()}/${topic}`;
  await killAndFinish(t, { url, batchEvents: 5 }, async () => {
    const messages = await readKafka(kafka.bootstrapServers, topic);
    return messages.map(({ value }) => JSON.parse(value ?? ""));
  });
});

test("a publisher to RabbitMQ killed with SIGKILL loses nothing and keeps the order of every key", async (t) => {
  const rabbitmq = await startRabbitmq();
  const name = `crash-${Date.now()}`;
  const [broker = ""] = rabbitmq.urls;
  t.after(() => leaveRabbitmq(rabbitmq, [name]));
  const url = `amqp://${new URL(broker).host}/?exchange=${name}`;
  const topology = { quorumQueues: [{ name }] };
  await killAndFinish(t, { url, topology, window: 20 }, async () => {
    return (await drainQueue(broker, name)).map((body) => JSON.parse(body));
  });
});

/** A line that a kill cut off is not an event; the whole event follows it. */
function parseWholeLine(line: string): MarkedEvent[] {
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}
