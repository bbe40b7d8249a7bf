import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { after, before, suite, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { connect } from "amqplib";
import pg from "pg";
import { frameTypes } from "../../src/journal/frame.ts";
import type {
  KafkaCluster,
  RabbitmqCluster,
} from "../../test/integration/support/broker-provider.ts";
import { startKafka, startRabbitmq } from "../../test/integration/support/brokers.ts";
import {
  type LocalPostgres,
  startLocalPostgres,
} from "../../test/integration/support/local-postgres.ts";
import { startAll } from "../../test/integration/support/start-all.ts";
import {
  encodeCbor,
  eventContext,
  eventsOfFrame,
  frameOf,
} from "../../test/support/exit-records.ts";
import { lifelikeEvents } from "../../test/support/lifelike-events.ts";
import { kafkaSink, rabbitMqSink } from "../../test/support/make-sink.ts";
import { publishEvents } from "../../test/support/publish-events.ts";
import { scaled, sizeFromEnvironment } from "../../test/support/scale.ts";
import { until } from "../../test/support/until.ts";
import { type InventoryTruth, truthOf } from "./truth.ts";

const kills = sizeFromEnvironment("CERTWIRE_CONSUMER_KILLS", 3);
const program = fileURLToPath(new URL("main.js", import.meta.url));
const schema = "examples/inventory/schema.sql";
const dayMs = 86_400_000;

/** So long ago that the certificates of a year end within 30 days, and every CRL is overdue. */
const startAt = Date.now() - 350 * dayMs;
const { happened, events } = lifelikeEvents("inventory", scaled(700, { least: 200 }), { startAt });
const truth = truthOf(happened, Date.now());
const lost = eventsOfFrame(
  frameOf(encodeCbor({ reason: "disk-full", count: 3, requestIds: [7, 8] }), {
    type: frameTypes.gap,
    sequence: 1_000_000n,
  }),
  eventContext(),
);
const all = [...events, ...lost];
/** The broker has some of them twice, as after a crash of the service. */
const published = [...events, ...events.slice(-100), ...lost];

interface Place {
  /** Arguments of the program. */
  readonly source: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

suite("an inventory killed with SIGKILL at any moment", () => {
  let kafka: KafkaCluster;
  let rabbitmq: RabbitmqCluster;
  let postgres: LocalPostgres;

  before(async () => {
    [kafka, rabbitmq, postgres] = await startAll(
      startKafka(),
      startRabbitmq(),
      startLocalPostgres(),
    );
  });

  after(async () => {
    await Promise.all([kafka.stop(), rabbitmq.stop(), postgres.stop()]);
  });

  async function makeDatabase(t: TestContext, database: string): Promise<pg.Pool> {
    const server = new pg.Client(postgres.address);
    await server.connect();
    await server.query(`CREATE DATABASE ${database}`);
    await server.end();
    const pool = new pg.Pool({ ...postgres.address, database, max: 2 });
    t.after(() => pool.end());
    return pool;
  }

  function start(t: TestContext, database: string, { source, environment }: Place): ChildProcess {
    const { host, user } = postgres.address;
    const child = spawn(process.execPath, [program, "consume", ...source, "--schema", schema], {
      env: { ...process.env, PGHOST: host, PGUSER: user, PGDATABASE: database, ...environment },
      stdio: ["ignore", "ignore", "inherit"],
    });
    t.after(() => child.kill("SIGKILL"));
    return child;
  }

  /** Kills the program again and again, each time after some more events, then lets it finish. */
  async function killAndFinish(t: TestContext, database: string, place: Place): Promise<pg.Pool> {
    const pool = await makeDatabase(t, database);
    const between = Math.ceil(all.length / (kills + 1));
    let inTheMiddle = 0;
    for (let round = 0; round < kills; round += 1) {
      const child = start(t, database, place);
      const goal = Math.min(all.length, (await handledIn(pool)) + randomInt(between));
      const giveUp = () => assert.equal(child.exitCode, null, "the inventory has ended");
      await until(async () => (await handledIn(pool)) >= goal, `${goal} are handled`, { giveUp });
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      assert.deepEqual(await ended, [null, "SIGKILL"]);
      if ((await handledIn(pool)) < all.length) inTheMiddle += 1;
    }
    const last = start(t, database, place);
    const isDone = async () => (await handledIn(pool)) >= all.length;
    await until(isDone, "all events are handled", {
      state: () => handledIn(pool),
      giveUp: () => assert.equal(last.exitCode, null, "the inventory has ended"),
    });
    const ended = once(last, "exit");
    last.kill("SIGTERM");
    assert.deepEqual(await ended, [0, null]);
    t.diagnostic(`${published.length} messages, ${kills} kills, ${inTheMiddle} before the end`);
    return pool;
  }

  test("from Kafka has each effect once, and says what happened at the CA", async (t) => {
    await kafka.createTopic("inventory", { partitions: 3 });
    await publishEvents(t, published, kafkaSink(kafka.bootstrapServers, "inventory"));
    const brokers = kafka.bootstrapServers.join();
    const source = ["--brokers", brokers, "--topic", "inventory"];
    const pool = await killAndFinish(t, "kafka", { source, environment: {} });
    await assertTrue(pool);
  });

  test("from RabbitMQ has each effect once, and says what happened at the CA", async (t) => {
    const [url = ""] = rabbitmq.urls;
    const connection = await connect(url);
    t.after(() => connection.close());
    const channel = await connection.createChannel();
    await channel.assertExchange("inventory", "topic");
    await channel.assertQueue("inventory", { arguments: { "x-queue-type": "quorum" } });
    await channel.bindQueue("inventory", "inventory", "#");
    await publishEvents(t, published, rabbitMqSink(rabbitmq.urls, "inventory"));
    const source = ["--queue", "inventory"];
    const pool = await killAndFinish(t, "rabbitmq", { source, environment: { AMQP_URL: url } });
    await assertTrue(pool);
  });
});

/** Events in the history; none while the tables are not there yet. */
async function handledIn(pool: pg.Pool): Promise<number> {
  const { rows } = await pool
    .query<{ n: number }>("SELECT count(DISTINCT event_id)::int AS n FROM history")
    .catch((error: { code?: string }) => {
      if (error.code === "42P01") return { rows: [{ n: 0 }] };
      throw error;
    });
  return rows[0]?.n ?? 0;
}

async function assertTrue(pool: pg.Pool): Promise<void> {
  const { rows: history } = await pool.query<{ event_id: string }>("SELECT event_id FROM history");
  const handled = history.map(({ event_id }) => event_id);
  assert.deepEqual(handled.toSorted(), all.map(({ id }) => id).toSorted(), "0 lost, 0 doubled");
  assert.deepEqual(await inventoryIn(pool), truth);
  const { rows: overdue } = await pool.query("SELECT kind, state FROM crl_overdue ORDER BY kind");
  const kinds = Object.keys(truth.crls).toSorted();
  assert.deepEqual(
    overdue,
    kinds.map((kind) => ({ kind, state: "expired" })),
  );
  const { rows: gaps } = await pool.query("SELECT reason, lost::int, request_ids::int[] FROM gap");
  assert.deepEqual(gaps, [{ reason: "disk-full", lost: 3, request_ids: [7, 8] }]);
}

/** The tables in the form of the truth. */
async function inventoryIn(pool: pg.Pool): Promise<InventoryTruth> {
  const pairs = async (query: string) => {
    const { rows } = await pool.query<{ name: string; value: string }>(query);
    return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
  };
  const names = async (query: string) => Object.keys(await pairs(query));
  return {
    requests: await pairs("SELECT request_id AS name, state AS value FROM request"),
    certificates: await pairs(
      `SELECT serial_number AS name, concat_ws(': ', state, revocation_reason) AS value
         FROM certificate`,
    ),
    imported: await names(
      "SELECT serial_number AS name FROM certificate WHERE is_imported ORDER BY 1",
    ),
    expiring: await names("SELECT serial_number AS name FROM expiring_soon ORDER BY 1"),
    crls: Object.fromEntries(
      Object.entries(await pairs("SELECT kind AS name, number AS value FROM crl")).map(
        ([kind, number]) => [kind, Number(number)],
      ),
    ),
  };
}
