import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { fileSinkOptions, resolveFileSink } from "../../src/sinks/file/options.ts";
import { kafkaSinkOptions, resolveKafkaSink } from "../../src/sinks/kafka/options.ts";
import { rabbitmqSinkOptions, resolveRabbitMqSink } from "../../src/sinks/rabbitmq/options.ts";
import type { SinkConfiguration } from "../../src/sinks/registry.ts";
import { readCheckpoint } from "../../src/state/checkpoint-store.ts";
import { stateLayout } from "../../src/state/layout.ts";
import { assertDelivered } from "../contract/sink-contract.ts";
import { sizeFromEnvironment } from "../support/flow.ts";
import { assertRepetitions, type Kill, type MarkedEvent } from "../support/killed-runs.ts";
import { range } from "../support/run-pipeline.ts";
import { sampleOutbound } from "../support/sample-events.ts";
import { startKafka, startRabbitmq } from "./support/brokers.ts";
import { readKafka } from "./support/read-kafka.ts";
import { readRabbitmq } from "./support/read-rabbitmq.ts";

const kills = sizeFromEnvironment("CERTWIRE_CRASH_KILLS", 5);
const keys = 50;
const maxInFlightEvents = 500;
/** The publisher saves its checkpoint every 100 ms; the rest is for a machine that is busy. */
const bounds = { maxInFlightEvents, checkpointMs: 1500 };
const script = fileURLToPath(new URL("../support/publisher-process.js", import.meta.url));
const context = { baseDirectory: "/", secret: () => "guest" };

/** Kills the publisher again and again at random instants, then lets it finish. */
async function killAndFinish(
  t: TestContext,
  sink: SinkConfiguration,
  events: number,
  read: () => Promise<MarkedEvent[]>,
) {
  const state = await mkdtemp(join(tmpdir(), "certwire-crash-"));
  t.after(() => rm(state, { recursive: true, force: true }));
  const start = (run: number) => {
    const args = [JSON.stringify(sink), state, events, keys, run].map(String);
    return spawn(process.execPath, [script, ...args], { stdio: ["ignore", "inherit", "inherit"] });
  };
  const killed: Kill[] = [];
  while (killed.length < kills) {
    const child = start(killed.length);
    const exited = once(child, "exit");
    await Promise.race([exited, sleep(700 + Math.random() * 2000)]);
    if (child.exitCode !== null) break;
    const at = Date.now();
    child.kill("SIGKILL");
    await exited;
    const { position } = await readCheckpoint(stateLayout(state).checkpoint("sink"));
    killed.push({ at, checkpoint: Number(position?.sequence ?? 0n) });
  }
  const [code] = await once(start(killed.length), "exit");
  assert.equal(code, 0);
  const arrived = await read();
  assertDelivered(
    arrived,
    range(1, events).map((n) => sampleOutbound(n, `ca/${n % keys}`)),
  );
  assert.ok(killed.length > 0, "it was killed before it had finished");
  const repeated = assertRepetitions(arrived, killed, bounds);
  const counts = repeated.map((again, run) => `${again.length} behind ${killed[run]?.checkpoint}`);
  t.diagnostic(`${events} events; came again after each kill: ${counts.join(", ")}`);
}

test("a publisher to files killed with SIGKILL loses nothing and keeps the order of every key", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "certwire-crash-files-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const entry = { name: "sink", url: `file://${directory}`, maxFiles: 0, batchEvents: 5 };
  const options = resolveFileSink(
    fileSinkOptions.parse({ ...entry, maxFileBytes: 200_000, maxInFlightEvents }),
    context,
  );
  await killAndFinish(t, { kind: "file", options }, 80_000, async () => {
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
  const options = resolveKafkaSink(
    kafkaSinkOptions.parse({ name: "sink", url, batchEvents: 5, maxInFlightEvents }),
    context,
  );
  await killAndFinish(t, { kind: "kafka", options }, 10_000, async () => {
    const messages = await readKafka(kafka.bootstrapServers, topic);
    return messages.map(({ value }) => JSON.parse(value ?? ""));
  });
});

test("a publisher to RabbitMQ killed with SIGKILL loses nothing and keeps the order of every key", async (t) => {
  const rabbitmq = await startRabbitmq();
  t.after(() => rabbitmq.stop());
  const name = `crash-${Date.now()}`;
  const [broker = ""] = rabbitmq.urls;
  const entry = { name: "sink", url: `amqp://${new URL(broker).host}/?exchange=${name}` };
  const topology = { quorumQueues: [{ name }] };
  const options = resolveRabbitMqSink(
    rabbitmqSinkOptions.parse({ ...entry, topology, window: 20, maxInFlightEvents }),
    context,
  );
  await killAndFinish(t, { kind: "rabbitmq", options }, 15_000, async () => {
    return (await readRabbitmq(broker, name)).map((body) => JSON.parse(body));
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
