import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { connect } from "amqplib";
import pg from "pg";
import { PostgresDeduplication } from "../../src/consumer/deduplication/postgres.ts";
import type { CertwireEvent } from "../../src/events/event.ts";
import type { KafkaCluster, RabbitmqCluster } from "../integration/support/broker-provider.ts";
import { startKafka, startRabbitmq } from "../integration/support/brokers.ts";
import { type LocalPostgres, startLocalPostgres } from "../integration/support/local-postgres.ts";
import { startAll } from "../integration/support/start-all.ts";
import type { ConsumedPlace, ConsumerRun } from "../support/consumer-process.ts";
import { kafkaSink, rabbitMqSink } from "../support/make-sink.ts";
import { publishEvents } from "../support/publish-events.ts";
import { temporaryDirectory } from "../support/run-cli.ts";
import { assertConsumed } from "../support/running-consumer.ts";
import { sampleEvent } from "../support/sample-events.ts";
import { scaled, sizeFromEnvironment } from "../support/scale.ts";
import { until } from "../support/until.ts";

const kills = sizeFromEnvironment("CERTWIRE_CONSUMER_KILLS", 4);
const mostBeforeKill = scaled(150, { least: 20 });
/** Most turns between that and the kill; each handles no more than the consumer's concurrency. */
const mostTurns = 10;
const concurrency = 8;
/** Enough that every kill finds events left, also when each run handles some of the earlier ones again. */
const events = Array.from(
  { length: (kills + 1) * (mostBeforeKill + mostTurns * concurrency) },
  (_, n) => sampleEvent(n + 1, `ca/${n % 30}`),
);
const script = fileURLToPath(new URL("../support/consumer-process.js", import.meta.url));

type Handled = Pick<CertwireEvent, "id" | "partitionkey">;

/** The handled events in a file, without a line that a kill cut off. */
function handledIn(path: string): Handled[] {
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => {
    const [id = "", partitionkey = ""] = line.split(" ");
    return { id, partitionkey };
  });
}

interface Plan {
  readonly place: ConsumedPlace;
  readonly postgres?: pg.PoolConfig;
  /** Waits until the broker has noticed the end of a killed consumer. */
  readonly noticed?: () => Promise<void>;
}

/** Kills a consumer again and again, then lets it finish; returns what was handled, in its order. */
async function killAndFinish(t: TestContext, { place, postgres, noticed }: Plan) {
  const effects = join(temporaryDirectory(t), "effects");
  writeFileSync(effects, "");
  const start = (kill?: ConsumerRun["kill"]) => {
    const run: ConsumerRun = {
      place,
      effects,
      concurrency,
      ...(postgres && { postgres }),
      ...(kill && { kill }),
    };
    const stdio: ["ignore", "inherit", "inherit"] = ["ignore", "inherit", "inherit"];
    const child = spawn(process.execPath, [script, JSON.stringify(run)], { stdio });
    t.after(() => child.kill("SIGKILL"));
    return { child, ended: once(child, "exit") };
  };
  for (let round = 0; round < kills; round += 1) {
    const point = { handlers: 1 + randomInt(mostBeforeKill), turns: randomInt(mostTurns) };
    assert.deepEqual(await start(point).ended, [null, "SIGKILL"], JSON.stringify(point));
    await noticed?.();
  }
  const last = start();
  const different = () => new Set(handledIn(effects).map(({ id }) => id)).size;
  await until(() => different() >= events.length, "all events are handled", {
    everyMs: 100,
    state: different,
    giveUp: () => assert.equal(last.child.exitCode, null, "the consumer has ended"),
  });
  last.child.kill("SIGTERM");
  assert.deepEqual(await last.ended, [0, null]);
  return handledIn(effects);
}

function assertHandled(t: TestContext, handled: readonly Handled[]): void {
  assertConsumed(handled, events);
  const again = handled.length - events.length;
  t.diagnostic(`${events.length} events, ${kills} kills, ${again} handled again, 0 lost`);
}

suite("a consumer killed with SIGKILL at any moment", () => {
  let kafka: KafkaCluster;
  let rabbitmq: RabbitmqCluster;
  let postgres: LocalPostgres;
  let pool: pg.Pool;

  before(async () => {
    [kafka, rabbitmq, postgres] = await startAll(
      startKafka(),
      startRabbitmq(),
      startLocalPostgres(),
    );
    pool = new pg.Pool({ ...postgres.address, max: 2 });
  });

  after(async () => {
    await pool.end();
    await Promise.all([kafka.stop(), rabbitmq.stop(), postgres.stop()]);
  });

  async function kafkaPlace(t: TestContext, topic: string): Promise<Plan> {
    await kafka.createTopic(topic, { partitions: 3 });
    await publishEvents(t, events, kafkaSink(kafka.bootstrapServers, topic));
    return { place: { kind: "kafka", brokers: kafka.bootstrapServers, topic } };
  }

  async function rabbitMqPlace(t: TestContext, name: string, type: "quorum" | "stream") {
    const [url = ""] = rabbitmq.urls;
    const connection = await connect(url);
    t.after(() => connection.close());
    const channel = await connection.createChannel();
    await channel.assertExchange(name, "topic");
    await channel.assertQueue(name, { arguments: { "x-queue-type": type } });
    await channel.bindQueue(name, name, "#");
    await publishEvents(t, events, rabbitMqSink(rabbitmq.urls, name));
    const isAlone = async () => (await channel.checkQueue(name)).consumerCount === 0;
    const noticed = () => until(isAlone, "the broker has noticed the end", { everyMs: 20 });
    return { url, noticed: async () => void (await noticed()) };
  }

  /** A database with the tables; the effects by their order. */
  async function makeTables(name: string) {
    await pool.query(`CREATE DATABASE ${name}`);
    const address = { ...postgres.address, database: name };
    const own = new pg.Pool({ ...address, max: 2 });
    const columns = "n serial PRIMARY KEY, id text, partitionkey text";
    await own.query(`CREATE TABLE effect (${columns})`);
    await new PostgresDeduplication({ pool: own, consumer: "killed" }).createTable();
    const read = async (): Promise<Handled[]> => {
      const { rows } = await own.query("SELECT id, partitionkey FROM effect ORDER BY n");
      await own.end();
      return rows;
    };
    return { address, read };
  }

  /** Each event has had its effect once, and those of each key in their order. */
  function assertOnce(t: TestContext, effects: readonly Handled[]): void {
    assertConsumed(effects, events);
    assert.equal(effects.length, events.length, "events with two effects");
    t.diagnostic(`${events.length} events, ${kills} kills, 0 lost, 0 doubled effects`);
  }

  test("of Kafka loses nothing and keeps the order of every key", async (t) => {
    assertHandled(t, await killAndFinish(t, await kafkaPlace(t, "killed")));
  });

  test("of a quorum queue loses nothing and keeps the order of every key", async (t) => {
    const { url, noticed } = await rabbitMqPlace(t, "killed", "quorum");
    const place = { kind: "queue", url, queue: "killed" } as const;
    assertHandled(t, await killAndFinish(t, { place, noticed }));
  });

  test("of a stream loses nothing and keeps the order of every key", async (t) => {
    const { url } = await rabbitMqPlace(t, "killed-stream", "stream");
    const file = join(temporaryDirectory(t), "offset");
    const place = { kind: "stream", url, stream: "killed-stream", file } as const;
    assertHandled(t, await killAndFinish(t, { place }));
  });

  test("of Kafka with PostgreSQL has each effect once", async (t) => {
    const { address, read } = await makeTables("kafka");
    const { place } = await kafkaPlace(t, "killed-once");
    await killAndFinish(t, { place, postgres: address });
    assertOnce(t, await read());
  });

  test("of a quorum queue with PostgreSQL has each effect once", async (t) => {
    const { address, read } = await makeTables("rabbitmq");
    const { url, noticed } = await rabbitMqPlace(t, "killed-once", "quorum");
    const place = { kind: "queue", url, queue: "killed-once" } as const;
    await killAndFinish(t, { place, noticed, postgres: address });
    assertOnce(t, await read());
  });
});
