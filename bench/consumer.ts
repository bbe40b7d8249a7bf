// Events a second that the SDK decodes and hands to a handler, on one core, from Kafka and from a quorum queue of
// RabbitMQ, beside kafkajs and amqplib alone: as many rounds of each, in turns. Prints the ratios and writes JSON:
//   npm run bench -- consumer [--events 50000] [--rounds 3] [--only kafka|rabbitmq] [--out FILE]
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import amqp from "amqplib";
import { Kafka, logLevel } from "kafkajs";
import type { CertwireEvent } from "../src/events/event.ts";
import { SimulatedCa } from "../src/simulate/simulated-ca.ts";
import type { KafkaCluster, RabbitmqCluster } from "../test/integration/support/broker-provider.ts";
import { startLocalKafka } from "../test/integration/support/local-kafka.ts";
import { startLocalRabbitmq } from "../test/integration/support/local-rabbitmq.ts";
import { repoRoot } from "../test/integration/support/repo-root.ts";
import { runCommand } from "../test/integration/support/run-command.ts";
import {
  encodeRecord,
  eventContext,
  eventsOfFrame,
  frameOf,
} from "../test/support/exit-records.ts";
import { recordOf } from "../test/support/simulated-records.ts";
import type { ReadResult } from "./consumer-reader.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "50000" },
    rounds: { type: "string", default: "3" },
    only: { type: "string" },
    out: { type: "string", default: join(repoRoot, "build", "bench-consumer.json") },
  },
});
const events = Number(values.events);
const rounds = Number(values.rounds);
/** Events before those that are measured, for connections and compiler. */
const warmup = 5_000;
const partitions = 6;
const distinctEvents = 300;
const batchEvents = 500;
const contentType = "application/cloudevents+json; charset=UTF-8";
const ways = ["sdk", "alone"] as const;

type Way = (typeof ways)[number];

/** Figures of one broker. */
interface Row {
  readonly broker: "kafka" | "rabbitmq";
  readonly results: Readonly<Record<Way, readonly ReadResult[]>>;
  /** Medians, in events a second of time, and of processor time. */
  readonly perSecond: Readonly<Record<Way, number>>;
  readonly perCpuSecond: Readonly<Record<Way, number>>;
  /** The SDK's rate divided by that of the client alone. */
  readonly ratio: number;
  readonly cpuRatio: number;
}

/** A message as the service publishes it. */
interface Message {
  readonly key: string;
  readonly value: Buffer;
}

async function main(): Promise<void> {
  const pool = eventPool();
  const eventBytes = Math.round(
    messagesOf(pool, 0, pool.length).reduce((sum, { value }) => sum + value.length, 0) /
      pool.length,
  );
  say(`an event is ${eventBytes} bytes of JSON on average`);
  const rows: Row[] = [];
  if (values.only !== "rabbitmq") rows.push(await benchKafka(pool));
  if (values.only !== "kafka") rows.push(await benchRabbitmq(pool));
  const machine = {
    cpus: cpus().length,
    model: cpus()[0]?.model,
    node: process.version,
    load: loadavg(),
  };
  mkdirSync(dirname(values.out), { recursive: true });
  const report = { machine, events, warmup, eventBytes, rows };
  writeFileSync(values.out, `${JSON.stringify(report, undefined, 2)}\n`);
  say(`load average ${loadavg()[0]?.toFixed(1)}; written to ${values.out}`);
}

/** Different events of a simulated CA; making a certificate takes long, so the same ones are sent again. */
function eventPool(): CertwireEvent[] {
  const ca = new SimulatedCa({ seed: "bench", now: () => new Date(Date.UTC(2026, 0, 5)) });
  const context = eventContext();
  return Array.from({ length: distinctEvents }, () => ca.next()).flatMap((record) => [
    ...eventsOfFrame(frameOf(encodeRecord(recordOf(record))), context),
  ]);
}

/** Messages from `start` to `end`, each event with an id and a request of its own. */
function messagesOf(pool: readonly CertwireEvent[], start: number, end: number): Message[] {
  return Array.from({ length: end - start }, (_, at) => {
    const event = pool[(start + at) % pool.length]!;
    const id = event.id.replace(/-\d+-/, `-${start + at + 1}-`);
    const key = `ca:${start + at}`;
    return { key, value: Buffer.from(JSON.stringify({ ...event, id, partitionkey: key })) };
  });
}

/** Sends all messages in batches. */
async function fill(
  pool: readonly CertwireEvent[],
  send: (batch: readonly Message[]) => Promise<unknown>,
): Promise<void> {
  const total = warmup + events;
  for (let start = 0; start < total; start += batchEvents) {
    await send(messagesOf(pool, start, Math.min(total, start + batchEvents)));
  }
}

async function benchKafka(pool: readonly CertwireEvent[]): Promise<Row> {
  const kafka = await startLocalKafka({ nodes: 1, javaOptions: [] });
  try {
    const topic = "events";
    await kafka.createTopic(topic, { partitions });
    await fillTopic(kafka, topic, pool);
    const address = kafka.bootstrapServers.join(",");
    return await inTurns("kafka", (way, round) =>
      read(["kafka", way, address, topic, `${way}-${round}`]),
    );
  } finally {
    await kafka.stop();
  }
}

async function fillTopic(kafka: KafkaCluster, topic: string, pool: readonly CertwireEvent[]) {
  const client = new Kafka({
    brokers: [...kafka.bootstrapServers],
    logLevel: logLevel.NOTHING,
  });
  const producer = client.producer();
  await producer.connect();
  await fill(pool, (batch) => {
    const messages = batch.map((each) => ({ ...each, headers: { "content-type": contentType } }));
    return producer.send({ topic, messages });
  });
  await producer.disconnect();
}

async function benchRabbitmq(pool: readonly CertwireEvent[]): Promise<Row> {
  const rabbitmq = await startLocalRabbitmq({ nodes: 1 });
  try {
    return await inTurns("rabbitmq", async (way, round) => {
      const queue = `${way}-${round}`;
      await fillQueue(rabbitmq, queue, pool);
      const result = await read(["rabbitmq", way, rabbitmq.urls[0]!, queue, "none"]);
      await rabbitmq.ctl(1, "delete_queue", queue);
      return result;
    });
  } finally {
    await rabbitmq.stop();
  }
}

async function fillQueue(rabbitmq: RabbitmqCluster, queue: string, pool: readonly CertwireEvent[]) {
  const connection = await amqp.connect(rabbitmq.urls[0]!);
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue(queue, { arguments: { "x-queue-type": "quorum" } });
  await fill(pool, (batch) => {
    for (const { value } of batch) {
      channel.sendToQueue(queue, value, { contentType, persistent: true });
    }
    return channel.waitForConfirms();
  });
  await connection.close();
}

/** Runs a reader on one core, the last one. */
async function read(args: readonly string[]): Promise<ReadResult> {
  const program = join(import.meta.dirname, "consumer-reader.js");
  const core = String(availableParallelism() - 1);
  const command = ["-c", core, process.execPath, program, ...args, values.events, String(warmup)];
  const output = await runCommand("taskset", command, { timeoutMs: 600_000 });
  return JSON.parse(output.toString()) as ReadResult;
}

/** In turns, so that whatever else the machine does meets both. */
async function inTurns(
  broker: Row["broker"],
  readOnce: (way: Way, round: number) => Promise<ReadResult>,
): Promise<Row> {
  const results: Record<Way, ReadResult[]> = { sdk: [], alone: [] };
  for (let round = 1; round <= rounds; round += 1) {
    for (const way of ways) results[way].push(await readOnce(way, round));
  }
  const medians = (rate: (result: ReadResult) => number) => ({
    sdk: median(results.sdk.map(rate)),
    alone: median(results.alone.map(rate)),
  });
  const perSecond = medians(({ events: count, seconds }) => count / seconds);
  const perCpuSecond = medians(({ events: count, cpuSeconds }) => count / cpuSeconds);
  const ratio = perSecond.sdk / perSecond.alone;
  const cpuRatio = perCpuSecond.sdk / perCpuSecond.alone;
  const name = broker === "kafka" ? "kafkajs" : "amqplib";
  say(
    `${broker}: SDK ${perSecond.sdk.toFixed(0)} events/s, ${name} alone ${perSecond.alone.toFixed(0)}`,
  );
  say(
    `  ratio ${ratio.toFixed(2)}; of processor time ${cpuRatio.toFixed(2)}, ${perCpuSecond.sdk.toFixed(0)} events/s`,
  );
  return { broker, results, perSecond, perCpuSecond, ratio, cpuRatio };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main();
