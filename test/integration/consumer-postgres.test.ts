import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import pg from "pg";
import { PostgresDeduplication } from "../../src/consumer/deduplication/postgres.ts";
import { sampleEvent } from "../support/sample-events.ts";
import { settled, until } from "../support/until.ts";
import { type LocalPostgres, startLocalPostgres } from "./support/local-postgres.ts";

let server: LocalPostgres;
let pool: pg.Pool;

before(async () => {
  server = await startLocalPostgres();
  pool = new pg.Pool({ ...server.address, max: 4 });
});

after(async () => {
  await pool.end();
  await server.stop();
});

function storeFor(consumer: string) {
  return new PostgresDeduplication<pg.PoolClient>({ pool, consumer });
}

beforeEach(async () => {
  await pool.query("DROP TABLE IF EXISTS effect, certwire_handled");
  await pool.query("CREATE TABLE effect (id text UNIQUE)");
  await storeFor("any").createTable();
});

function writeEffect(id: string) {
  return async (transaction: pg.PoolClient): Promise<void> => {
    await transaction.query("INSERT INTO effect VALUES ($1)", [id]);
  };
}

async function effects(): Promise<string[]> {
  const { rows } = await pool.query("SELECT id FROM effect ORDER BY id");
  return rows.map(({ id }: { id: string }) => id);
}

const [one, two] = [sampleEvent(1), sampleEvent(2)];

test("an effect happens once for each event and consumer", async () => {
  const store = storeFor("first");
  assert.equal(await store.once(one, writeEffect("a")), true);
  assert.equal(await store.once(one, writeEffect("b")), false);
  assert.equal(await store.once(two, writeEffect("c")), true);
  assert.equal(await storeFor("second").once(one, writeEffect("d")), true);
  assert.deepEqual(await effects(), ["a", "c", "d"]);
});

test("what the CA's database says of an event that was handled has no effect; two live events both do", async () => {
  const store = storeFor("first");
  const contentid = "c".repeat(22);
  const stored = {
    source: one.source,
    id: `db-${contentid}`,
    contentid,
    origin: "database",
  } as const;
  assert.equal(await storeFor("second").once({ ...one, contentid }, writeEffect("other")), true);
  assert.equal(await store.once(stored, writeEffect("from the database")), true);
  assert.equal(await store.once(stored, writeEffect("again")), false);
  assert.equal(await store.once({ ...one, contentid }, writeEffect("live")), true);
  assert.equal(await store.once({ ...two, contentid }, writeEffect("live too")), true);
  const later = { ...stored, id: `db-${"d".repeat(22)}` };
  assert.equal(await store.once(later, writeEffect("known")), false);
  assert.equal(
    await store.once({ ...later, source: "urn:other" }, writeEffect("of another CA")),
    true,
  );
  assert.deepEqual(await effects(), [
    "from the database",
    "live",
    "live too",
    "of another CA",
    "other",
  ]);
});

test("an effect that fails leaves nothing, and is tried again", async () => {
  const store = storeFor("first");
  const failing = store.once(one, async (transaction) => {
    await writeEffect("half")(transaction);
    throw new Error("then it failed");
  });
  await assert.rejects(failing, { message: "then it failed" });
  assert.deepEqual(await effects(), []);
  assert.equal(await store.once(one, writeEffect("whole")), true);
  assert.deepEqual(await effects(), ["whole"]);
});

test("a failed query whose error the handler hides does not count as an effect", async () => {
  const store = storeFor("first");
  const hiding = store.once(one, async (transaction) => {
    await transaction.query("SELECT no_such_column").catch(() => undefined);
  });
  await assert.rejects(hiding, { message: "the transaction ended with ROLLBACK" });
  assert.equal(await store.once(one, writeEffect("a")), true);
});

test("two consumers that get the same event at the same time have one effect", async () => {
  const store = storeFor("first");
  let release: () => void = () => undefined;
  let isFirstRunning = false;
  const first = store.once(one, async (transaction) => {
    isFirstRunning = true;
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    await writeEffect("first")(transaction);
  });
  await until(() => isFirstRunning, "the first one runs");
  const second = store.once(one, writeEffect("second"));
  const isWaiting = async () => {
    const { rowCount } = await pool.query("SELECT 1 FROM pg_locks WHERE NOT granted");
    return rowCount === 1;
  };
  await until(isWaiting, "the second one waits");
  release();
  assert.deepEqual(await settled(Promise.all([first, second]), "both end"), [true, false]);
  assert.deepEqual(await effects(), ["first"]);
});

test("a connection that breaks in a transaction does not go back to the pool", async () => {
  const store = storeFor("first");
  const breaking = store.once(one, async (transaction) => {
    transaction.on("error", () => undefined);
    await transaction.query("SELECT pg_terminate_backend(pg_backend_pid())");
  });
  await assert.rejects(breaking);
  assert.equal(await store.once(one, writeEffect("a")), true);
  assert.deepEqual(await effects(), ["a"]);
});

test("old entries are forgotten on request, those of other consumers stay", async () => {
  await storeFor("first").once(one, async () => undefined);
  await storeFor("second").once(one, async () => undefined);
  assert.equal(await storeFor("first").forgetBefore(new Date(Date.now() + 60_000)), 1);
  assert.equal(await storeFor("first").once(one, async () => undefined), true);
  assert.equal(await storeFor("second").once(one, async () => undefined), false);
});

test("a name of a table that would not be one is refused", () => {
  const make = () => new PostgresDeduplication({ pool, consumer: "a", table: "x; DROP TABLE y" });
  assert.throws(make, { code: "CERTWIRE_CONSUMER_OPTIONS" });
});
