import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { KafkaCluster, RabbitmqCluster } from "../test/integration/support/broker-provider.ts";
import { freePorts } from "../test/integration/support/free-ports.ts";
import { kafkaJava } from "../test/integration/support/kafka-java.ts";
import { withAdmin } from "../test/integration/support/kafka-topics.ts";
import { ManagedProcess } from "../test/integration/support/managed-process.ts";
import { repoRoot } from "../test/integration/support/repo-root.ts";
import { runCommand } from "../test/integration/support/run-command.ts";
import { until } from "../test/support/until.ts";

/** The same work for every program. */
export interface Load {
  readonly records: number;
  /** Size of a record's value, in bytes. */
  readonly recordBytes: number;
}

const timeoutMs = 600_000;
const megabyte = 1_024 * 1_024;
// The first records warm up the Java compiler; Kafka's own program is timed without them.
const warmupRecords = 20_000;
const acknowledgedByAll = ["--command-property", "acks=all", "enable.idempotence=true"];
const persistentAndMandatory = ["--flag", "persistent", "--flag", "mandatory"];

/** Kafka's load generator with its defaults, acks=all; returns records per second once warm. */
export async function producerPerformance(
  kafka: KafkaCluster,
  topic: string,
  load: Load,
): Promise<number> {
  const output = await runCommand(
    "java",
    kafkaJava("org.apache.kafka.tools.ProducerPerformance", [
      ...flags({
        "--bootstrap-server": kafka.bootstrapServers.join(","),
        "--topic": topic,
        "--throughput": -1,
        "--num-records": load.records + warmupRecords,
        "--warmup-records": warmupRecords,
        "--record-size": load.recordBytes,
      }),
      ...acknowledgedByAll,
    ]),
    { timeoutMs },
  );
  return lastNumber(output.toString(), /([\d.]+) records\/sec/g);
}

/** Kafka Connect's file source over a file with a line per record; records per second, without its start. */
export async function connectFileSource(
  kafka: KafkaCluster,
  topic: string,
  load: Load,
  directory: string,
): Promise<number> {
  const file = join(directory, "lines.txt");
  if (!existsSync(file)) writeLines(file, load);
  const worker = await writeConnectFiles(directory, kafka, topic, file);
  const process = new ManagedProcess({
    name: "Kafka Connect",
    command: "java",
    args: kafkaJava("org.apache.kafka.connect.cli.ConnectStandalone", worker, {
      heapMegabytes: 1_024,
    }),
    logFile: join(directory, "connect.log"),
  });
  process.start();
  try {
    const seen = async (): Promise<number> => {
      const offsets = await withAdmin(kafka.bootstrapServers, (admin) =>
        admin.fetchTopicOffsets(topic),
      );
      return offsets.reduce((sum, { high }) => sum + Number(high), 0);
    };
    const wait = {
      withinMs: timeoutMs,
      everyMs: 50,
      mayThrow: true,
      giveUp: () => process.assertRunning(),
    };
    const begun = async () => (await seen()) || false;
    const first = await until(begun, "Kafka Connect has sent its first record", wait);
    const startedAt = performance.now();
    const isDone = async () => (await seen()) >= load.records;
    await until(isDone, "Kafka Connect has sent its last record", wait);
    return ((load.records - first) / (performance.now() - startedAt)) * 1_000;
  } finally {
    await process.kill();
  }
}

/** RabbitMQ's load generator into a quorum queue; returns messages per second. */
export async function perfTest(
  rabbitmq: RabbitmqCluster,
  queue: string,
  load: Load,
): Promise<number> {
  const output = await runCommand(
    "java",
    [
      "-Xmx512m",
      "-cp",
      join(repoRoot, "var", "perf-test-libs", "*"),
      "com.rabbitmq.perf.PerfTest",
      "--quorum-queue",
      ...flags({
        "--uris": rabbitmq.urls.join(","),
        "--queue": queue,
        "--producers": 1,
        "--consumers": 0,
        "--confirm": 300,
        "--size": load.recordBytes,
        "--pmessages": load.records,
      }),
      ...persistentAndMandatory,
    ],
    { timeoutMs },
  );
  return lastNumber(output.toString(), /sending rate avg: ([\d.]+) msg\/s/g);
}

function flags(options: Readonly<Record<string, string | number>>): string[] {
  return Object.entries(options).flatMap(([name, value]) => [name, String(value)]);
}

function lastNumber(text: string, pattern: RegExp): number {
  const match = [...text.matchAll(pattern)].at(-1)?.[1];
  if (match === undefined) throw new Error(`no figure in:\n${text}`);
  return Number(match);
}

function writeLines(file: string, load: Load): void {
  const lines = Array.from({ length: 1_000 }, () =>
    randomBytes(Math.ceil(load.recordBytes / 2))
      .toString("hex")
      .slice(0, load.recordBytes),
  );
  const block = `${lines.join("\n")}\n`;
  writeFileSync(file, "");
  for (let written = 0; written < load.records; written += lines.length) {
    writeFileSync(file, block, { flag: "a" });
  }
}

/** Writes the two files of a standalone worker and returns its arguments. */
async function writeConnectFiles(
  directory: string,
  kafka: KafkaCluster,
  topic: string,
  file: string,
): Promise<string[]> {
  const plugins = join(directory, "plugins", "file");
  const libraries = join(repoRoot, "var", "kafka-libs");
  const jar = readdirSync(libraries).find((name) => name.startsWith("connect-file"));
  if (jar === undefined) throw new Error("the jar of Connect's file source is missing");
  if (!existsSync(plugins)) {
    mkdirSync(plugins, { recursive: true });
    symlinkSync(join(libraries, jar), join(plugins, jar));
  }
  const [port = 0] = await freePorts(1);
  const text = "org.apache.kafka.connect.storage.StringConverter";
  const worker = writeProperties(directory, "worker.properties", {
    "bootstrap.servers": kafka.bootstrapServers.join(","),
    "key.converter": text,
    "value.converter": text,
    "offset.storage.file.filename": join(directory, `${topic}.offsets`),
    "plugin.path": join(directory, "plugins"),
    listeners: `http://127.0.0.1:${port}`,
    "producer.buffer.memory": 64 * megabyte,
  });
  const source = writeProperties(directory, "source.properties", {
    name: topic,
    "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
    "tasks.max": 1,
    file,
    topic,
  });
  return [worker, source];
}

function writeProperties(
  directory: string,
  name: string,
  properties: Readonly<Record<string, string | number>>,
): string {
  const path = join(directory, name);
  const lines = Object.entries(properties).map(([key, value]) => `${key}=${value}\n`);
  writeFileSync(path, lines.join(""));
  return path;
}
