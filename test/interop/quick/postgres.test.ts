import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import pg from "pg";
import { encodeEvent } from "../../../src/events/outbound-event.ts";
import {
  type LocalPostgres,
  startLocalPostgres,
} from "../../integration/support/local-postgres.ts";
import { readGoldenEvents } from "../../support/golden-events.ts";
import { keepResult } from "../support/results.ts";

let server: LocalPostgres;
let pool: pg.Pool;

before(async () => {
  server = await startLocalPostgres();
  pool = new pg.Pool({ ...server.address, max: 1 });
});

after(async () => {
  await pool?.end();
  await server?.stop();
});

test("PostgreSQL keeps every golden event in a jsonb column, and gives it back the same", async () => {
  const golden = readGoldenEvents();
  await pool.query("CREATE TABLE event (id text PRIMARY KEY, body jsonb NOT NULL)");
  for (const { event } of golden) {
    const json = encodeEvent(event).json.toString();
    await pool.query("INSERT INTO event VALUES ($1, $2)", [event.id, json]);
  }
  const { rows } = await pool.query<{ id: string; body: unknown }>("SELECT id, body FROM event");
  const stored = new Map(rows.map(({ id, body }) => [id, body]));
  assert.equal(stored.size, golden.length);
  for (const { name, event } of golden) assert.deepEqual(stored.get(event.id), event, name);
  const { rows: found } = await pool.query<{ count: string }>(
    "SELECT count(*) FROM event WHERE body #>> '{data,ca,id}' IS NOT NULL",
  );
  assert.equal(Number(found[0]?.count), golden.length);
  const { rows: versions } = await pool.query<{ server_version: string }>("SHOW server_version");
  keepResult({
    software: "PostgreSQL",
    version: versions[0]?.server_version.split(" ")[0] ?? "",
    passed: { result: `${golden.length} of ${golden.length}` },
  });
});
