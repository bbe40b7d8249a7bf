// Events a second from a journal to Kafka and RabbitMQ, everything included, beside the brokers' own
// load generators and Kafka Connect's file source, in the same run on the same clusters.
//   npm run bench -- [--events N] [--nodes 1,3] [--only kafka|rabbitmq] [--out FILE]
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import type { KafkaCluster, RabbitmqCluster } from "../test/integration/support/broker-provider.ts";
import { startLocalKafka } from "../test/integration/support/local-kafka.ts";
import { startLocalRabbitmq } from "../test/integration/support/local-rabbitmq.ts";
import { repoRoot } from "../test/integration/support/repo-root.ts";
import { runCommand } from "../test/integration/support/run-command.ts";
import { makeTempDirectory } from "../test/integration/support/temp-directory.ts";
import { fillJournal } from "./journal.ts";
import { connectFileSource, type Load, perfTest, producerPerformance } from "./load-generators.ts";
import type { PublishResult } from "./publish.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "100000" },
    nodes: { type: "string", default: "1,3" },
    only: { type: "string" },
    out: { type: "string", default: join(repoRoot, "build", "bench-brokers.json") },
  },
});
const events = Number(values.events);
const work = makeTempDirectory("bench");
const journal = join(work, "journal");
const lowRate = { eventsPerSecond: 200, events: 1_000 };
const partitions = 6;
/** Events published before those that are measured, as the load generators do. */
const warmup = 20_000;

/** Figures of one broker on one number of nodes. */
interface Row {
  readonly broker: "kafka" | "rabbitmq";
  readonly nodes: number;
  /** Records a second of each program. */
  readonly perSecond: Readonly<Record<string, number>>;
  /** Certwire's rate divided by that of each other program. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly atFullRate: PublishResult;
  readonly atLowRate: PublishResult;
}

async function main(): Promise<void> {
  say(`writing a journal of ${warmup + events} events`);
  fillJournal(journal, warmup + events);
  const load: Load = { records: events, recordBytes: await meanEventBytes() };
  say(`an event is ${load.recordBytes} bytes of JSON on average`);
  const rows: Row[] = [];
  for (const nodes of values.nodes.split(",").map(Number) as (1 | 3)[]) {
    if (values.only !== "rabbitmq") rows.push(await benchKafka(nodes, load));
    if (values.only !== "kafka") rows.push(await benchRabbitmq(nodes, load));
  }
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.version };
  mkdirSync(dirname(values.out), { recursive: true });
  writeFileSync(values.out, `${JSON.stringify({ machine, load, rows }, undefined, 2)}\n`);
  say(`written to ${values.out}`);
}

async function benchKafka(nodes: 1 | 3, load: Load): Promise<Row> {
  const kafka = await startLocalKafka({ nodes, javaOptions: [] });
  try {
    const topic = async (name: string): Promise<string> => {
      await kafka.createTopic(name, { partitions });
      return name;
    };
    const others = {
      ProducerPerformance: await producerPerformance(kafka, await topic("generator"), load),
      "Connect file source": await connectFileSource(kafka, await topic("connect"), load, work),
    };
    const full = kafkaSink(kafka, await topic("full"));
    const atFullRate = await publish(full, journal, events, warmup);
    const atLowRate = await publishAtLowRate(kafkaSink(kafka, await topic("low")));
    return report({ broker: "kafka", nodes, others, atFullRate, atLowRate });
  } finally {
    await kafka.stop();
  }
}

async function benchRabbitmq(nodes: 1 | 3, load: Load): Promise<Row> {
  const rabbitmq = await startLocalRabbitmq({ nodes });
  try {
    const others = { PerfTest: await perfTest(rabbitmq, "generator", load) };
    await rabbitmq.ctl(1, "delete_queue", "generator");
    const atFullRate = await publish(rabbitmqSink(rabbitmq, "full"), journal, events, warmup);
    await rabbitmq.ctl(1, "delete_queue", "full");
    const atLowRate = await publishAtLowRate(rabbitmqSink(rabbitmq, "low"));
    return report({ broker: "rabbitmq", nodes, others, atFullRate, atLowRate });
  } finally {
    await rabbitmq.stop();
  }
}

/** An entry of `sinks` in a configuration. */
type SinkEntry = Readonly<Record<string, unknown>>;

function kafkaSink(kafka: KafkaCluster, topic: string): SinkEntry {
  return { name: topic, url: `kafka://${kafka.bootstrapServers.join(",")}/${topic}` };
}

function rabbitmqSink(rabbitmq: RabbitmqCluster, queue: string): SinkEntry {
  const hosts = rabbitmq.urls.map((url) => new URL(url).host).join(",");
  return {
    name: queue,
    url: `amqp://guest@${hosts}/?exchange=${queue}`,
    topology: { quorumQueues: [{ name: queue, bindingKey: "#" }] },
  };
}

/** Lets the service publish a journal in a process of its own. */
async function publish(
  sink: SinkEntry,
  directory: string,
  count: number,
  warmupCount = 0,
): Promise<PublishResult> {
  const name = `${String(sink["name"])}-${Date.now()}`;
  const configFile = join(work, `${name}.json`);
  const config = {
    journal: { directory },
    state: { directory: join(work, name) },
    sinks: [sink],
  };
  writeFileSync(configFile, JSON.stringify(config));
  const program = join(import.meta.dirname, "publish.js");
  const args = [program, configFile, String(count), String(warmupCount)];
  const output = await runCommand(process.execPath, args, { timeoutMs: 600_000 });
  return JSON.parse(output.toString()) as PublishResult;
}

/** The same while a simulated CA writes the journal slowly. */
async function publishAtLowRate(sink: SinkEntry): Promise<PublishResult> {
  const directory = join(work, `low-${Date.now()}`);
  const cli = join(import.meta.dirname, "..", "src", "cli", "main.js");
  const rate = ["-r", String(lowRate.eventsPerSecond), "-n", String(lowRate.events)];
  mkdirSync(directory);
  const [result] = await Promise.all([
    publish(sink, directory, lowRate.events),
    runCommand(process.execPath, [cli, "simulate", "-j", directory, ...rate]),
  ]);
  return result;
}

async function meanEventBytes(): Promise<number> {
  const sink = { name: "sample", url: `file://${join(work, "sample")}` };
  const { bytes, events: published } = await publish(sink, journal, Math.min(events, 5_000));
  return Math.round(bytes / published);
}

function report(figures: {
  broker: Row["broker"];
  nodes: number;
  others: Record<string, number>;
  atFullRate: PublishResult;
  atLowRate: PublishResult;
}): Row {
  const { broker, nodes, others, atFullRate, atLowRate } = figures;
  const ours = atFullRate.events / atFullRate.seconds;
  const ratios = Object.fromEntries(
    Object.entries(others).map(([name, rate]) => [name, ours / rate]),
  );
  say(`${broker}, ${nodes} ${nodes === 1 ? "node" : "nodes"}:`);
  say(`  Certwire: ${ours.toFixed(0)} events/s, ${describe(atFullRate)}`);
  for (const [name, rate] of Object.entries(others)) {
    say(`  ${name}: ${rate.toFixed(0)} records/s, ratio ${ratios[name]?.toFixed(2)}`);
  }
  say(`  at ${lowRate.eventsPerSecond} events/s: ${describe(atLowRate)}`);
  return { broker, nodes, perSecond: { Certwire: ours, ...others }, ratios, atFullRate, atLowRate };
}

function describe(result: PublishResult): string {
  const { batches, batchMedian, batchMax, cpuSeconds, seconds, maxRssMegabytes } = result;
  const cpu = `${((100 * cpuSeconds) / seconds).toFixed(0)} % CPU, ${maxRssMegabytes} MiB`;
  return `${batches} batches, ${batchMedian} events each (median; most ${batchMax}), ${cpu}`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main();
