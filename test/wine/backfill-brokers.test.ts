// `certwire backfill` in node.exe for Windows, with the real reader of the database, to real brokers.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect } from "amqplib";
import type { EventSource } from "../../src/consumer/event-source.ts";
import { kafkaTopic } from "../../src/consumer/kafka/topic-source.ts";
import { MemoryOffsets } from "../../src/consumer/rabbitmq/offset-store.ts";
import { rabbitMqStream } from "../../src/consumer/rabbitmq/stream-source.ts";
import type { CertwireEvent } from "../../src/events/event.ts";
import { dispositions, exitEvents } from "../../src/exit/ca-codes.ts";
import type { ReconcileReport } from "../../src/reconcile/reconcile.ts";
import { startKafka, startRabbitmq } from "../integration/support/brokers.ts";
import { leaveRabbitmq } from "../integration/support/leave-rabbitmq.ts";
import { readKafka } from "../integration/support/read-kafka.ts";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import { assertConsumedOnce } from "../support/consumed-once.ts";
import { drainQueue } from "../support/drain-queue.ts";
import { assertValid } from "../support/exit-records.ts";
import type { CaRow } from "../support/fake-ca-database.ts";
import { patientEntry, type UrlEntry } from "../support/patient-entry.ts";
import { ReconcileScene } from "../support/reconcile-scene.ts";
import { sizeFromEnvironment } from "../support/scale.ts";
import { until } from "../support/until.ts";
import { useDatabase } from "./support/database-standin.ts";
import { guestPassword } from "./support/declare-queue.ts";
import { certwireInWine, startCertwireInWine } from "./support/made-up-ca.ts";
import { catchUp, prepareScene, sceneScript, writeSceneConfig } from "./support/wine-reconcile.ts";

const kills = sizeFromEnvironment("CERTWIRE_BACKFILL_KILLS", 2);
/** So slow that each kill finds something left. */
const rate = 400;
const maxInFlightEvents = 64;
/** Events that a killed run publishes before, at least. */
const step = 40;
/** Longer than live events usually wait. */
const longWaitMs = 6000;
const { issued, revoked, denied } = dispositions;
const day = 86_400_000;
const known = 20;
const missing = 400 + kills * 200;

/** Requests that the journal knows, and others. */
function fill(scene: ReconcileScene): void {
  const at = scene.begin - day;
  for (let id = 2; id < 2 + known; id += 1) scene.happen(exitEvents.issued, rowOf(id, at));
  for (let index = 0; index < missing; index += 1) {
    const id = 100 + index;
    if (index % 7 === 0) {
      const dates = { submitted: at, resolved: at };
      scene.database.put({ id, disposition: denied, ...dates, status: -index });
    } else if (index % 5 === 0) {
      scene.database.put(rowOf(id, at, { disposition: revoked, revoked: at, reason: 1 }));
    } else {
      scene.database.put(rowOf(id, at));
    }
  }
}

function rowOf(id: number, at: number, changes: Partial<CaRow> = {}): CaRow {
  const certificate = ReconcileScene.certificate(id);
  return { id, disposition: issued, submitted: at, resolved: at, certificate, ...changes };
}

/** Events that the rows without a record stand for. */
function expectedEvents({ database }: ReconcileScene): number {
  const rows = [...database.rows.values()].filter(({ id }) => id >= 100);
  return rows.reduce((sum, { reason }) => sum + (reason === undefined ? 1 : 2), 0);
}

interface Place {
  readonly entry: UrlEntry;
  /** All messages that have arrived since the beginning. */
  readonly read: () => Promise<string[]>;
  /** The options of `certwire reconcile`. */
  readonly words: readonly string[];
  readonly source: () => EventSource;
}

async function killAndCompare(t: TestContext, { entry, read, words, source }: Place) {
  const scene = await prepareScene(t);
  if (scene === undefined) return;
  fill(scene);
  await scene.flushed();
  await catchUp(scene, "broker");
  const sink = patientEntry({ ...entry, maxInFlightEvents });
  const config = writeSceneConfig(scene, { ...sink, name: "broker" });
  const { report } = useDatabase(sceneScript(scene));
  const expected = expectedEvents(scene);
  const command = ["backfill", "--config", config, "--to-sink", "broker", "--share", "100"];
  const plan = await certwireInWine(...command, "--plan");
  assert.match(plan.output, new RegExp(`to broker: ${expected} events about ${missing} requests`));

  for (let kill = 0; kill < kills; kill += 1) {
    const before = (await read()).length;
    const log = join(makeTempDirectory("backfill"), "log");
    const run = await startCertwireInWine(log, ...command, "--rate", String(rate));
    t.after(() => run.kill());
    const hasPublished = async () => (await read()).length >= before + step;
    const giveUp = () => assert.ok(!run.hasEnded(), readFileSync(log, "utf8"));
    await until(hasPublished, `${step} more events arrive`, { everyMs: 100, giveUp });
    await run.kill();
  }
  const last = await certwireInWine(...command, "--rate", "100000");
  assert.equal(last.exitCode, 0, last.output);
  const messages = await read();
  const events = messages.map((body) => JSON.parse(body) as CertwireEvent);
  for (const event of events) {
    assertValid(event);
    assert.equal(event.origin, "database");
  }
  const ids = events.map(({ id }) => id);
  assert.equal(new Set(ids).size, expected, "nothing is missing");
  const again = ids.length - expected;
  assert.ok(again <= kills * maxInFlightEvents, `${again} came again`);
  t.diagnostic(`${kills} kills, ${expected} events, 0 missing; ${again} messages came again`);
  await assertConsumedOnce(t, source(), ids);

  const second = await certwireInWine(...command);
  assert.equal(second.exitCode, 0, second.output);
  assert.match(second.output, /^0 events published to broker/m);
  assert.equal((await read()).length, ids.length);

  // Without a live event the topic does not say since when it lacks something.
  const compared = await certwireInWine("reconcile", "--config", config, "--json", ...words);
  assert.equal(compared.exitCode, 65, compared.output);
  const text = compared.output.slice(
    compared.output.indexOf("{"),
    compared.output.lastIndexOf("}") + 1,
  );
  const { counts, rows } = JSON.parse(text) as ReconcileReport;
  assert.equal(rows, known + missing);
  assert.deepEqual([counts.backfilled, counts.history], [missing, known]);
  assert.deepEqual(report().violations, []);
}

test("live events that the service has not published go first", async (t) => {
  const scene = await prepareScene(t);
  if (scene === undefined) return;
  fill(scene);
  await scene.flushed();
  const config = writeSceneConfig(scene);
  useDatabase(sceneScript(scene));
  const recordedAt = Date.now();
  await until(() => Date.now() - recordedAt > longWaitMs, "the events have waited for long");
  const log = join(makeTempDirectory("backfill"), "log");
  const words = ["backfill", "--config", config, "--to-sink", "files", "--rate", "100000"];
  const run = await startCertwireInWine(log, ...words);
  t.after(() => run.kill());
  const output = () => readFileSync(log, "utf8");
  const giveUp = () => assert.ok(!run.hasEnded(), output());
  const waits = () => output().includes("live events go first: waiting until the service has");
  await until(waits, "the backfill waits", { everyMs: 100, giveUp });
  assert.ok(!existsSync(join(scene.state, "events")), "nothing is published");
  // The service has published them.
  await catchUp(scene, "files");
  await until(run.hasEnded, "the backfill has ended", { everyMs: 100, state: output });
  const published = new RegExp(`^${expectedEvents(scene)} events published to files$`, "m");
  assert.match(output(), published);
});

test("a backfill from Windows to Kafka that is killed again and again leaves nothing out", async (t) => {
  const kafka = await startKafka();
  t.after(() => kafka.stop());
  const topic = `backfill-wine-${Date.now()}`;
  await kafka.createTopic(topic, { partitions: 6 });
  const brokers = kafka.bootstrapServers;
  const url = `kafka://${brokers.join()}/${topic}`;
  await killAndCompare(t, {
    entry: { url },
    read: async () => (await readKafka(brokers, topic)).map(({ value }) => value ?? ""),
    words: ["--kafka", url],
    source: () => kafkaTopic({ client: { brokers: [...brokers] }, topic, groupId: topic }),
  });
});

test("a backfill from Windows to RabbitMQ that is killed again and again leaves nothing out", async (t) => {
  const rabbitmq = await startRabbitmq();
  const [broker = ""] = rabbitmq.urls;
  const { host } = new URL(broker);
  const exchange = `backfill-wine-${Date.now()}`;
  // One is emptied to count, the other is kept.
  const [queue, stream] = [`${exchange}-queue`, `${exchange}-stream`];
  t.after(() => leaveRabbitmq(rabbitmq, [exchange, queue, stream]));
  const connection = await connect(broker);
  const channel = await connection.createChannel();
  await channel.assertExchange(exchange, "topic");
  for (const [name, type] of [
    [queue, "quorum"],
    [stream, "stream"],
  ] as const) {
    await channel.assertQueue(name, { arguments: { "x-queue-type": type } });
    await channel.bindQueue(name, exchange, "#");
  }
  await connection.close();
  const arrived: string[] = [];
  await killAndCompare(t, {
    entry: { url: `amqp://guest@${host}/?exchange=${exchange}`, password: guestPassword },
    read: async () => {
      arrived.push(...(await drainQueue(broker, queue)));
      return [...arrived];
    },
    words: [
      "--rabbitmq-stream",
      `amqp://guest@${host}/?stream=${stream}`,
      "--password-environment",
      guestPassword.environment,
    ],
    source: () => rabbitMqStream({ connection: broker, stream, offsets: new MemoryOffsets() }),
  });
});
