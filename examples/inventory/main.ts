// Keeps an inventory of certificates in PostgreSQL, and prints what needs attention:
//   node main.ts consume --brokers HOST:PORT[,...] --topic NAME
//   node main.ts consume --queue NAME       with the server's URL in AMQP_URL
//   node main.ts report
// The database is the one of psql's variables: PGHOST, PGDATABASE, PGUSER, PGPASSWORD.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import pg from "pg";
import {
  Consumer,
  type EventSource,
  kafkaTopic,
  PostgresDeduplication,
  rabbitMqQueue,
} from "./certwire.ts";
import { inventoryHandlers } from "./inventory.ts";
import { attentionText } from "./report.ts";

/** Handlers at a time; each has a connection to the database. */
const concurrency = 8;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    brokers: { type: "string" },
    topic: { type: "string" },
    queue: { type: "string" },
    group: { type: "string", default: "certificate-inventory" },
    schema: { type: "string", default: "schema.sql" },
  },
});

const pool = new pg.Pool({ max: concurrency });
// A connection that breaks while nobody uses it; the pool opens another one.
pool.on("error", (error) => console.error(error.message));
try {
  if (positionals[0] === "consume") await consume(sourceOf());
  else if (positionals[0] === "report") console.log(await attentionText(pool));
  else usage();
} finally {
  await pool.end();
}

function sourceOf(): EventSource {
  const { brokers, topic, queue, group } = values;
  if (queue !== undefined) {
    return rabbitMqQueue({ connection: process.env["AMQP_URL"] ?? "amqp://localhost", queue });
  }
  if (brokers === undefined || topic === undefined) return usage();
  const client = { clientId: group, brokers: brokers.split(",") };
  // How long Kafka keeps the partitions for a member that was killed.
  const consumer = { sessionTimeout: 6_000, heartbeatInterval: 1_000 };
  return kafkaTopic({ client, topic, groupId: group, consumer });
}

async function consume(source: EventSource): Promise<void> {
  const deduplication = new PostgresDeduplication<pg.PoolClient>({ pool, consumer: values.group });
  await deduplication.createTable();
  await pool.query(readFileSync(values.schema, "utf8"));
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  process.once("SIGTERM", () => stop.abort());
  const consumer = new Consumer({
    source,
    deduplication,
    concurrency,
    handlers: inventoryHandlers,
    signal: stop.signal,
    logger: console,
  });
  await consumer.run();
}

function usage(): never {
  console.error(
    "usage: main.ts consume (--brokers HOST:PORT --topic NAME | --queue NAME) | report",
  );
  process.exit(2);
}
