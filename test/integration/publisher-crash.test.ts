import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
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

/** Kills the publisher again and again at random instants, then lets it finish. */
async function killAndFinish(
  t: TestContext,
  entry: object,
  events: number,
  read: () => Promise<MarkedEvent[]>,
) {
  const state = await mkdtemp(join(tmpdir(), "certwire-crash-"));
  t.after(() => rm(state, { recursive: true, force: true }));
  const start = (run: number) => {
    const sink = JSON.stringify({ ...entry, name: "sink", maxInFlightEvents });
    const args = [sink, state, events, keys, run].map(String);
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
  const limits = { maxFiles: 0, maxFileBytes: 200_000, batchEvents: 5 };
  await killAndFinish(t, { url: `file://${directory}`, ...limits }, 80_000, async () => {
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
  await killAndFinish(t, { url, batchEvents: 5 }, 10_000, async () => {
    const messages = await readKafka(kafka.bootstrapServers, topic);
    return messages.map(({ value }) => JSON.parse(value ?? ""));
  });
});

test("a publisher to RabbitMQ killed with SIGKILL loses nothing and keeps the order of every key", async (t) => {
  const rabbitmq = await startRabbitmq();
  t.after(() => rabbitmq.stop());
  const name = `crash-${Date.now()}`;
  const [broker = ""] = rabbitmq.urls;
  const url = `amqp://${new URL(broker).host}/?exchange=${name}`;
  const topology = { quorumQueues: [{ name }] };
  await killAndFinish(t, { url, topology, window: 20 }, 15_000, async () => {
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
