import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { readCheckpoint } from "../../src/state/checkpoint-store.ts";
import { stateLayout } from "../../src/state/layout.ts";
import { assertDelivered } from "../contract/sink-contract.ts";
import { drainQueue } from "../support/drain-queue.ts";
import { assertRepetitions, type Kill, type MarkedEvent } from "../support/killed-runs.ts";
import { patientEntry, type UrlEntry } from "../support/patient-entry.ts";
import type { KillPoint, PublisherRun } from "../support/publisher-process.ts";
import { range } from "../support/run-pipeline.ts";
import { sampleOutbound } from "../support/sample-events.ts";
import { scaled, sizeFromEnvironment } from "../support/scale.ts";
import { startKafka, startRabbitmq } from "./support/brokers.ts";
import { readKafka } from "./support/read-kafka.ts";

const kills = sizeFromEnvironment("CERTWIRE_CRASH_KILLS", 5);
const keys = 50;
const maxInFlightEvents = 200;
/** Most events that a killed run gets acknowledged, apart from those in flight by then. */
const acknowledgedMost = scaled(600);
/** Enough that every kill, and the last run too, finds some left. */
const events = (kills + 1) * (acknowledgedMost + 2 * maxInFlightEvents);
const script = fileURLToPath(new URL("../support/publisher-process.js", import.meta.url));

/** A random instant; the first run is killed at its first publish, before anything is saved. */
function killPointOf(run: number): KillPoint {
  if (run === 0) return { acknowledged: 0, isSaved: false, turns: randomInt(5) };
  const acknowledged = randomInt(acknowledgedMost);
  return { acknowledged, isSaved: randomInt(2) === 1, turns: randomInt(5) };
}

/** Kills the publisher again and again at random instants, then lets it finish. */
async function killAndFinish(t: TestContext, entry: UrlEntry, read: () => Promise<MarkedEvent[]>) {
  const stateDirectory = await mkdtemp(join(tmpdir(), "certwire-crash-"));
  t.after(() => rm(stateDirectory, { recursive: true, force: true }));
  const publish = async (run: number, kill?: KillPoint): Promise<unknown[]> => {
    const sink = patientEntry({ name: "sink", maxInFlightEvents, ...entry });
    const order: PublisherRun = { sink, stateDirectory, events, keys, run, ...(kill && { kill }) };
    const args = [script, JSON.stringify(order)];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit"] });
    t.after(() => child.kill("SIGKILL"));
    return once(child, "exit");
  };
  const killed: Kill[] = [];
  for (let run = 0; run < kills; run += 1) {
    const kill = killPointOf(run);
    assert.deepEqual(await publish(run, kill), [null, "SIGKILL"], JSON.stringify(kill));
    const { position } = await readCheckpoint(stateLayout(stateDirectory).checkpoint("sink"));
    const saved = (await readFile(join(stateDirectory, "saved"), "utf8")).split("\n");
    killed.push({
      checkpoint: Number(position?.sequence ?? 0n),
      saved: Number(saved.at(-2) ?? 0), // the text ends in a line break
    });
  }
  assert.deepEqual(await publish(kills), [0, null]);
  const arrived = await read();
  assertDelivered(
    arrived,
    range(1, events).map((n) => sampleOutbound(n, `ca/${n % keys}`)),
  );
  const repeated = assertRepetitions(arrived, killed, maxInFlightEvents);
  const counts = repeated.map((again, run) => `${again.length} after ${killed[run]?.checkpoint}`);
  t.diagnostic(`${events} events; published again after each kill: ${counts.join(", ")}`);
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
  t.after(() => rabbitmq.stop());
  const name = `crash-${Date.now()}`;
  const [broker = ""] = rabbitmq.urls;
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
