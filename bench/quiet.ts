// What the service costs while the CA has little to do, and how long its events take: share of one core, wake-ups, size of
// batches, and the time from the return of Notify until a consumer has the event, at each of some rates. Prints a table and
// writes it as JSON:
//   node quiet.js [--seconds 20] [--rates 0,5,50,200,300] [--sinks kafka,rabbitmq,both] [--mode durable|committed] [--out FILE]
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import amqp from "amqplib";
import { Kafka, logLevel } from "kafkajs";
import { loadNative, type NativeExitSimulator } from "../src/native/addon.ts";
import { steppedClock } from "../src/simulate/feed.ts";
import { SimulatedCa } from "../src/simulate/simulated-ca.ts";
import type { KafkaCluster, RabbitmqCluster } from "../test/integration/support/broker-provider.ts";
import { startLocalKafka } from "../test/integration/support/local-kafka.ts";
import { startLocalRabbitmq } from "../test/integration/support/local-rabbitmq.ts";
import { repoRoot } from "../test/integration/support/repo-root.ts";
import { makeTempDirectory } from "../test/integration/support/temp-directory.ts";
import { until } from "../test/support/until.ts";
import { type Percentiles, percentiles } from "./percentiles.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "20" },
    rates: { type: "string", default: "0,5,50,200,300" },
    sinks: { type: "string", default: "kafka,rabbitmq,both" },
    mode: { type: "string", default: "durable" },
    out: { type: "string", default: join(repoRoot, "build", "bench-quiet.json") },
  },
});
const seconds = Number(values.seconds);
const rates = values.rates.split(",").map(Number);
const partitions = 6;
/** Events before those that are measured, for connections and compiler: first at full speed, then at 200/s. */
const warmup = { burst: 5000, seconds: 10 };
/** The first two records of an epoch are its own and that of the start of the CA. */
const firstSequence = 3;
/** In a clock tick of /proc (USER_HZ). */
const tickSeconds = 0.01;

/** What the service did at one rate; all times in ms. */
interface Row {
  readonly sinks: string;
  readonly mode: string;
  /** Events a second. */
  readonly rate: number;
  /** Processor time of the service, all threads, as a share of one core. */
  readonly core: number;
  readonly cpuMicrosecondsPerEvent?: number;
  /** Times a second that its event loop was woken up. */
  readonly wakeUpsPerSecond: number;
  readonly batchMean?: number;
  readonly residentMegabytes: number;
  /** From the return of Notify until a consumer has the event, by sink. */
  readonly latency: Readonly<Record<string, Percentiles>>;
}

/** A sink, and what has read from it. */
interface Destination {
  readonly entry: Readonly<Record<string, unknown>>;
  /** When a consumer had the event, by sequence number, in ms. */
  readonly arrivals: Map<number, number>;
  readonly close: () => Promise<void>;
}

let made = 0;

async function kafkaDestination(kafka: KafkaCluster): Promise<Destination> {
  const topic = `quiet-${(made += 1)}`;
  await kafka.createTopic(topic, { partitions });
  const client = new Kafka({ brokers: [...kafka.bootstrapServers], logLevel: logLevel.NOTHING });
  const consumer = client.consumer({ groupId: topic });
  const arrivals = new Map<number, number>();
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({ eachMessage: async ({ message }) => note(arrivals, message.value) });
  const url = `kafka://${kafka.bootstrapServers.join(",")}/${topic}`;
  return { entry: { name: "kafka", url }, arrivals, close: () => consumer.disconnect() };
}

async function rabbitmqDestination(rabbitmq: RabbitmqCluster): Promise<Destination> {
  const queue = `quiet-${(made += 1)}`;
  const connection = await amqp.connect(rabbitmq.urls[0] ?? "");
  const channel = await connection.createChannel();
  await channel.assertExchange(queue, "topic", { durable: true });
  const options = { durable: true, arguments: { "x-queue-type": "quorum" } };
  await channel.assertQueue(queue, options);
  await channel.bindQueue(queue, queue, "#");
  const arrivals = new Map<number, number>();
  await channel.prefetch(500);
  await channel.consume(queue, (message) => {
    if (message === null) return;
    note(arrivals, message.content);
    channel.ack(message);
  });
  const { host } = new URL(rabbitmq.urls[0] ?? "");
  const entry = { name: "rabbitmq", url: `amqp://guest@${host}/?exchange=${queue}` };
  return { entry, arrivals, close: () => connection.close() };
}

function note(arrivals: Map<number, number>, content: Buffer | null): void {
  const now = performance.now();
  const { id } = JSON.parse(String(content)) as { id: string };
  const sequence = Number(id.split("-").at(-2));
  if (!arrivals.has(sequence)) arrivals.set(sequence, now);
}

/** A CA that records events at a rate. */
class Writer {
  readonly directory = join(makeTempDirectory("bench-quiet"), "journal");
  /** When Notify returned, in ms; the first for `firstSequence`. */
  readonly returnedAt: number[] = [];
  readonly #simulator: NativeExitSimulator;
  // Making a certificate takes longer than recording it, so the same ones are reused.
  readonly #pool;

  constructor() {
    mkdirSync(this.directory);
    const ca = new SimulatedCa({ seed: "bench", now: steppedClock(0) });
    this.#simulator = new (loadNative().ExitSimulator)({
      directory: this.directory,
      caName: ca.name,
    });
    this.#simulator.notify(ca.started());
    this.#pool = Array.from({ length: 2000 }, () => ca.next());
  }

  notify(): void {
    this.#simulator.notify(this.#pool[this.returnedAt.length % this.#pool.length]!);
    this.returnedAt.push(performance.now());
  }

  /** Lets the CA work for a while: its events come at random, like those of many clients. */
  async work(rate: number, forSeconds: number): Promise<void> {
    const endAt = performance.now() + forSeconds * 1000;
    for (let dueAt = performance.now(); ; this.notify()) {
      dueAt += rate === 0 ? Number.POSITIVE_INFINITY : (-Math.log(1 - Math.random()) / rate) * 1000;
      const waitMs = Math.min(dueAt, endAt) - performance.now();
      if (waitMs > 0) await delay(waitMs);
      if (dueAt >= endAt) return;
    }
  }

  close(): void {
    this.#simulator.close();
  }
}

/** Counters of a process, since it started. */
function countersOf(pid: number): {
  cpuSeconds: number;
  wakeUps: number;
  residentMegabytes: number;
} {
  const directory = join("/proc", String(pid));
  const [, fields = ""] = readFileSync(join(directory, "stat"), "utf8").split(") ");
  const [user = 0, system = 0] = fields.split(" ").slice(11, 13).map(Number);
  const status = readFileSync(join(directory, "status"), "utf8");
  const wakeUps = Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1]);
  const residentMegabytes = Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024);
  return { cpuSeconds: (user + system) * tickSeconds, wakeUps, residentMegabytes };
}

/** Events and batches that a service has published. */
async function batchesOf(socketPath: string): Promise<{ events: number; batches: number }> {
  const request = get({ socketPath, path: "/metrics" });
  const [response] = await once(request, "response");
  const metrics = await text(response);
  const sum = (name: string): number =>
    [...metrics.matchAll(new RegExp(`^${name}\\{.*\\} (\\d+)`, "gm"))]
      .map(([, value]) => Number(value))
      .reduce((total, value) => total + value, 0);
  return { events: sum("certwire_batch_events_sum"), batches: sum("certwire_batch_events_count") };
}

async function bench(sinks: string, destinations: readonly Destination[]): Promise<Row[]> {
  const writer = new Writer();
  const root = dirname(writer.directory);
  const socket = join(root, "http.sock");
  const service = startService(root, {
    journal: { directory: writer.directory, mode: values.mode },
    state: { directory: join(root, "state") },
    sinks: destinations.map(({ entry }) => entry),
    http: { listen: `unix:${socket}` },
  });
  const pid = service.pid ?? 0;
  const rows: Row[] = [];
  const arrived = async (): Promise<void> => {
    const last = firstSequence + writer.returnedAt.length - 1;
    const isDone = () => destinations.every(({ arrivals }) => arrivals.has(last));
    await until(isDone, "every event has arrived");
  };
  try {
    for (let count = 0; count < warmup.burst; count += 1) writer.notify();
    await arrived();
    await writer.work(200, warmup.seconds);
    await arrived();
    for (const rate of rates) {
      // A quiet CA, before it and after it.
      await delay(3000);
      const first = writer.returnedAt.length;
      const before = { ...countersOf(pid), ...(await batchesOf(socket)) };
      const beganAt = performance.now();
      await writer.work(rate, seconds);
      await arrived();
      const tookSeconds = (performance.now() - beganAt) / 1000;
      const after = { ...countersOf(pid), ...(await batchesOf(socket)) };
      const cpuSeconds = after.cpuSeconds - before.cpuSeconds;
      const events = writer.returnedAt.length - first;
      const latency = destinations.map(({ entry, arrivals }) => {
        const waits = writer.returnedAt.slice(first).map((returnedAt, at) => {
          return (arrivals.get(firstSequence + first + at) ?? Number.NaN) - returnedAt;
        });
        return [entry["name"], percentiles(waits)];
      });
      rows.push({
        sinks,
        mode: values.mode,
        rate,
        core: cpuSeconds / tookSeconds,
        ...(events > 0 && {
          cpuMicrosecondsPerEvent: (1_000_000 * cpuSeconds) / events,
          batchMean: (after.events - before.events) / (after.batches - before.batches),
        }),
        wakeUpsPerSecond: (after.wakeUps - before.wakeUps) / tookSeconds,
        residentMegabytes: after.residentMegabytes,
        latency: events > 0 ? Object.fromEntries(latency) : {},
      });
      process.stdout.write(`${describe(rows.at(-1)!)}\n`);
    }
    return rows;
  } finally {
    service.kill();
    await once(service, "exit");
    writer.close();
    await Promise.all(destinations.map(({ close }) => close()));
  }
}

function startService(root: string, config: object): ChildProcess {
  const file = join(root, "certwire.json");
  writeFileSync(file, JSON.stringify(config));
  const program = join(import.meta.dirname, "..", "src", "cli", "main.js");
  const words = [program, "run", "--config", file];
  return spawn(process.execPath, words, { stdio: ["ignore", "ignore", "inherit"] });
}

function describe(row: Row): string {
  const waits = Object.entries(row.latency).map(
    ([sink, { p50, p99 }]) => `${sink} p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms`,
  );
  const of = row.batchMean === undefined ? [] : [`batches of ${row.batchMean.toFixed(1)}`];
  const figures = [
    `${(100 * row.core).toFixed(2)} % of a core`,
    `${row.wakeUpsPerSecond.toFixed(0)} wake-ups/s`,
    ...of,
    `${row.residentMegabytes} MiB`,
    ...waits,
  ];
  return `${row.sinks}, ${row.mode}, ${row.rate} events/s: ${figures.join(", ")}`;
}

async function main(): Promise<void> {
  const wanted = values.sinks.split(",");
  const kafka = wanted.some((name) => name !== "rabbitmq") ? await startLocalKafka() : undefined;
  const rabbitmq = wanted.some((name) => name !== "kafka") ? await startLocalRabbitmq() : undefined;
  try {
    const rows: Row[] = [];
    for (const sinks of wanted) {
      const destinations: Destination[] = [];
      if (kafka && sinks !== "rabbitmq") destinations.push(await kafkaDestination(kafka));
      if (rabbitmq && sinks !== "kafka") destinations.push(await rabbitmqDestination(rabbitmq));
      rows.push(...(await bench(sinks, destinations)));
    }
    mkdirSync(dirname(values.out), { recursive: true });
    writeFileSync(values.out, `${JSON.stringify({ seconds, rows }, undefined, 2)}\n`);
    process.stdout.write(`written to ${values.out}\n`);
  } finally {
    await Promise.all([kafka?.stop(), rabbitmq?.stop()]);
  }
}

await main();
