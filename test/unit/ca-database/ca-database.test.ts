import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { CaDatabase, type CaDatabaseOptions } from "../../../src/ca-database/ca-database.ts";
import { msUntil, pauseAfter } from "../../../src/ca-database/load.ts";
import { nextPageRows } from "../../../src/ca-database/page-size.ts";
import { clock, type Delay } from "../../../src/clock.ts";
import {
  type NativeCaDatabase,
  type NativeRowRequest,
  nativeCaDatabase,
} from "../../../src/native/ca-database.ts";
import { fixture } from "../../support/exit-records.ts";
import { caFacts, FakeCaDatabase } from "../../support/fake-ca-database.ts";
import { settled } from "../../support/until.ts";

const config = "CA01\\Contoso";

/** A database with the ids 1 to `count`. */
function rowsUpTo(count: number, viewMs: (request: NativeRowRequest) => number = () => 1000) {
  const rows = Array.from({ length: count }, (_, index) => ({ id: index + 1 }));
  return new FakeCaDatabase(rows, viewMs);
}

function failure(hresult: number): () => Promise<void> {
  return () => Promise.reject(Object.assign(new Error("failed"), { hresult, call: "OpenView" }));
}

/** The ids that are read, and the pauses between the pages. */
async function readAll(
  native: NativeCaDatabase,
  options: Partial<CaDatabaseOptions> = {},
): Promise<{ ids: number[]; pauses: number[] }> {
  const pauses: number[] = [];
  const sleep = async (ms: number) => void pauses.push(ms);
  const database = new CaDatabase(native, { config, sleep, ...options });
  const ids: number[] = [];
  const selection = { after: 0, columns: "scan" } as const;
  for await (const { rows } of database.pages(selection, new AbortController().signal)) {
    ids.push(...rows.map(({ context }) => context));
  }
  return { ids, pauses };
}

test("the CA has at least as much time for itself as it gives to a view", async () => {
  const slow = rowsUpTo(1200, () => 3000);
  const { ids, pauses } = await readAll(slow);
  assert.equal(ids.length, 1200);
  assert.deepEqual(pauses, [3000, 3000]);
  const fast = await readAll(rowsUpTo(1200, () => 10));
  assert.deepEqual(fast.pauses, [250]);
});

test("the CA has its pause before each view, whoever asks for it", async () => {
  const native = rowsUpTo(3000, () => 3000);
  const slept: number[] = [];
  const sleep = async (ms: number) => void slept.push(ms);
  const database = reader(native, { sleep });
  for (const id of [1, 2]) await database.row(id, noSignal(), "scan");
  await database.newest(noSignal());
  assert.deepEqual(slept, [3000, 3000]);
  for (const id of [5, 500]) {
    for await (const row of database.rows([id], noSignal())) assert.equal(row.context, id);
  }
  await idsOf(database.revokedSince({ sinceMs: 0, upTo: 3000 }, noSignal()));
  assert.equal(native.requests.length, 6);
  assert.deepEqual(slept, Array(5).fill(3000));
});

test("pages become smaller for a slow CA and larger for a fast one, within limits", async () => {
  const sizes = { least: 50, first: 500, most: 2000 };
  assert.equal(nextPageRows(500, 2000, sizes), 500);
  assert.equal(nextPageRows(500, 5001, sizes), 250);
  assert.equal(nextPageRows(60, 5001, sizes), 50);
  assert.equal(nextPageRows(500, 499, sizes), 1000);
  assert.equal(nextPageRows(1500, 499, sizes), 2000);
  const database = rowsUpTo(100_000, () => 100);
  await readAll(database);
  const asked = database.requests.map(({ maxRows }) => maxRows);
  assert.deepEqual(asked.slice(0, 4), [500, 1000, 2000, 2000]);
  assert.equal(Math.max(...asked), 2000);
});

test("what may pass is waited for, longer each time, and the page begins at the same place", async () => {
  const database = rowsUpTo(700);
  for (let times = 0; times < 6; times += 1) database.next.push(failure(0x8009_400f));
  const waits: number[] = [];
  const { ids } = await readAll(database, { waiting: (_, delayMs) => waits.push(delayMs) });
  assert.deepEqual(waits, [60_000, 120_000, 240_000, 480_000, 900_000, 900_000]);
  assert.equal(ids.length, 700);
  assert.deepEqual(
    database.requests.map(({ from }) => from),
    [0, 0, 0, 0, 0, 0, 0, 500],
  );
});

test("what does not pass is an error at once, with the method, the number and its symbol", async () => {
  const refused = rowsUpTo(1);
  refused.next.push(failure(0x8007_0005));
  await assert.rejects(readAll(refused), {
    code: "CERTWIRE_CA_DATABASE_REFUSED",
    message: `CA database of "${config}": OpenView: 0x80070005 E_ACCESSDENIED`,
  });
  const wrong = rowsUpTo(1);
  wrong.next.push(failure(0x8004_0154));
  await assert.rejects(readAll(wrong), { code: "CERTWIRE_CA_DATABASE_FAILED" });
});

test("a stop ends a wait", async () => {
  const native = rowsUpTo(1);
  native.next.push(failure(0x8007_06ba));
  const stop = new AbortController();
  const database = new CaDatabase(native, { config, waiting: () => stop.abort() });
  await assert.rejects(database.row(1, stop.signal), { name: "AbortError" });
});

test("a call without an answer is an error, and no other one is made before it is back", async () => {
  const native = rowsUpTo(1);
  let answer = () => undefined as void;
  native.next.push(
    () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
  );
  const database = new CaDatabase(native, { config, stuckAfterMs: 5 });
  const { signal } = new AbortController();
  await assert.rejects(database.row(1, signal), { code: "CERTWIRE_CA_DATABASE_STUCK" });
  await assert.rejects(database.row(1, signal), { code: "CERTWIRE_CA_DATABASE_STUCK" });
  assert.equal(native.requests.length, 1);
  answer();
  await new Promise(setImmediate);
  assert.equal((await database.row(1, signal))?.context, 1);
});

test("a stop does not wait for a call of the CA that hangs", async (t) => {
  const delay = clock.delay.bind(clock);
  // Only the stop can end the wait.
  t.mock.method(clock, "delay", (ms: number, options: Delay) =>
    delay(ms === 120_000 ? 2 ** 31 - 1 : ms, options),
  );
  const native = rowsUpTo(3);
  const stop = new AbortController();
  native.next.push(() => {
    stop.abort();
    return new Promise(() => undefined);
  });
  const reading = new CaDatabase(native, { config }).row(1, stop.signal);
  await assert.rejects(settled(reading, "the row is read"), { name: "AbortError" });
});

test("a CA that does not answer yet is waited for until it says who it is, and one that refuses is not", async (t) => {
  const native = rowsUpTo(1);
  const answers = [failure(0x8007_06ba), failure(0x8007_06ba), async () => undefined];
  t.mock.method(native, "readFacts", async () => {
    await answers.shift()?.();
    return native.facts;
  });
  const waits: number[] = [];
  const waiting = (_: Error, delayMs: number) => waits.push(delayMs);
  const database = reader(native, { sleep: async () => undefined, waiting });
  assert.equal((await database.factsOnceReady(noSignal())).name, caFacts.name);
  assert.deepEqual(waits, [60_000, 120_000]);
  native.facts = { ...caFacts, roles: 0 };
  const refused = { code: "CERTWIRE_CA_DATABASE_REFUSED" };
  await assert.rejects(database.factsOnceReady(noSignal()), refused);
});

test("only a CA with a certificate of the one that is meant is read", async () => {
  const own = createHash("sha256").update(fixture("ca-rsa")).digest("hex");
  const certificates = new Set(["0".repeat(64)]);
  const native = rowsUpTo(3);
  await assert.rejects(readAll(native, { certificates }), { code: "CERTWIRE_CA_DATABASE_OTHER" });
  assert.equal(native.requests.length, 0);
  const { ids } = await readAll(native, { certificates: certificates.add(own) });
  assert.deepEqual(ids, [1, 2, 3]);
});

test("a CA that keeps its name but has lost its certificate is another one", async () => {
  const native = rowsUpTo(3);
  const database = new CaDatabase(native, { config });
  await database.facts();
  native.facts = { ...caFacts, certificates: [...caFacts.certificates, fixture("ca-ecdsa")] };
  assert.equal((await database.facts()).certificates.length, 2);
  native.facts = { ...caFacts, certificates: [fixture("ca-ecdsa")] };
  await assert.rejects(database.facts(), { code: "CERTWIRE_CA_DATABASE_OTHER" });
  native.facts = { ...caFacts, sanitizedName: "Other" };
  await assert.rejects(database.facts(), { code: "CERTWIRE_CA_DATABASE_OTHER" });
});

const noSignal = () => new AbortController().signal;

/** The ids of the rows of some pages. */
async function idsOf(pages: AsyncIterable<{ rows: readonly { context: number }[] }>) {
  const ids: number[] = [];
  for await (const { rows } of pages) ids.push(...rows.map(({ context }) => context));
  return ids;
}

function reader(native: NativeCaDatabase, options: Partial<CaDatabaseOptions> = {}): CaDatabase {
  return new CaDatabase(native, { config, sleep: () => Promise.resolve(), ...options });
}

test("rows that were resolved or submitted since a time come once each, however many there are in a second", async () => {
  const second = Date.parse("2026-03-01T12:00:00Z");
  const resolvedAt = (id: number) => {
    if (id <= 10) return second - 1000;
    if (id <= 3010) return second + (id % 1000); // within one second
    return second + (id - 3000) * 1000;
  };
  const rows = Array.from({ length: 5000 }, (_, index) => index + 1).map((id) => ({
    id,
    resolved: resolvedAt(id),
    submitted: resolvedAt(id),
  }));
  for (const date of ["ResolvedWhen", "SubmittedWhen"] as const) {
    const native = new FakeCaDatabase(rows);
    const ids = await idsOf(reader(native).rowsSince(date, second + 500, noSignal()));
    assert.equal(ids.length, 4990);
    assert.equal(new Set(ids).size, 4990);
    assert.deepEqual(
      ids.filter((id) => id > 3010),
      rows.map(({ id }) => id).filter((id) => id > 3010),
    );
    const asked = new Set(native.requests.map(({ scan }) => scan));
    assert.deepEqual([...asked], [date === "ResolvedWhen" ? "resolved" : "submitted"]);
  }
});

test("a row that is stored below the second that the CA shows is not lost between two pages", async () => {
  const begin = Date.parse("2026-03-01T12:00:00Z");
  // Three in each second, the last one so late that the CA rounds it up.
  const rows = Array.from({ length: 6000 }, (_, index) => ({
    id: index + 1,
    submitted: begin + Math.floor(index / 3) * 1000 + [0, 0, 600][index % 3]!,
  }));
  const native = new FakeCaDatabase(rows);
  native.shows = (row) => ({ ...row, submitted: Math.round((row.submitted ?? 0) / 1000) * 1000 });
  const ids = await idsOf(reader(native).rowsSince("SubmittedWhen", begin - 5000, noSignal()));
  assert.deepEqual(
    ids,
    rows.map(({ id }) => id),
  );
});

test("rows by a date that come out of order end the scan with an error", async () => {
  const native = new FakeCaDatabase([{ id: 1, resolved: 5000 }]);
  const read = reader(native).rowsSince("ResolvedWhen", 9000, noSignal());
  native.readRows = async (request) => {
    const page = await FakeCaDatabase.prototype.readRows.call(native, { ...request, since: 0 });
    return { ...page, isEnd: false };
  };
  await assert.rejects(idsOf(read), {
    code: "CERTWIRE_CA_DATABASE_FAILED",
    message: /rows out of order/,
  });
});

test("revoked rows are looked for in windows of ids, and none is left out between two", async () => {
  const since = Date.parse("2026-03-01T12:00:00Z");
  const rows = Array.from({ length: 50_000 }, (_, index) => index + 1).map((id) => ({
    id,
    ...(id % 17 === 0 && { revoked: id % 34 === 0 ? since : since - 1000 }),
  }));
  const native = new FakeCaDatabase(rows);
  const selection = { sinceMs: since, upTo: 49_998 };
  const ids = await idsOf(reader(native).revokedSince(selection, noSignal()));
  const expected = rows.map(({ id }) => id).filter((id) => id % 34 === 0 && id <= 49_998);
  assert.deepEqual(ids, expected);
  assert.ok(native.requests.every(({ from, to }) => to - from <= 20_000));
});

test("wanted rows that are close to each other are read in one view, and others in their own", async () => {
  const native = rowsUpTo(10_000);
  native.delete(40);
  const ids = [3, 4, 6, 40, 41, 5000, 9999, 10_000, 10_001, 20_000];
  const found: number[] = [];
  for await (const { context } of reader(native).rows(ids, noSignal())) found.push(context);
  assert.deepEqual(
    found,
    ids.filter((id) => id !== 40 && id <= 10_000),
  );
  assert.deepEqual(
    native.requests.map(({ from, maxRows }) => [from, maxRows]),
    [
      [2, 4],
      [39, 2],
      [4999, 1],
      [9998, 3],
    ],
  );
  const all = Array.from({ length: 10_000 }, (_, index) => index + 1);
  let count = 0;
  for await (const _ of reader(native).rows(all, noSignal())) count += 1;
  assert.equal(count, 9999);
});

test("views take the share of the time that they may take, at the hours at which they may", async () => {
  assert.equal(pauseAfter(1000), 1000);
  assert.equal(pauseAfter(1000, 0.1), 9000);
  assert.equal(pauseAfter(1000, 1), 250);
  const at = (hour: number, minute = 0, second = 0) => new Date(2026, 2, 2, hour, minute, second);
  const night = { from: 22 * 60, to: 6 * 60 };
  assert.equal(msUntil(night, at(22)), 0);
  assert.equal(msUntil(night, at(5, 59)), 0);
  assert.equal(msUntil(night, at(6)), 16 * 3_600_000);
  assert.equal(msUntil(night, at(21, 59, 30)), 30_000);
  assert.equal(msUntil({ from: 60, to: 120 }, at(0, 30)), 30 * 60_000);
  assert.equal(msUntil({ from: 60, to: 60 }, at(12)), 0);
  let now = at(12);
  const waits: number[] = [];
  const native = rowsUpTo(1);
  let calls = 0;
  const database = reader(native, {
    load: { hours: night },
    now: () => now,
    sleep: async (ms) => {
      waits.push(ms);
      now = new Date(now.getTime() + ms);
    },
  });
  database.whileWaiting = async () => void (calls += 1);
  assert.equal((await database.row(1, noSignal(), "scan"))?.context, 1);
  assert.equal(
    waits.reduce((sum, ms) => sum + ms),
    10 * 3_600_000,
  );
  // The clock may be set meanwhile.
  assert.equal(Math.max(...waits), 60_000);
  assert.equal(calls, 10);
  assert.equal(native.requests.length, 1);
});

test("there is no database of a CA on another system than Windows", () => {
  assert.throws(nativeCaDatabase, { code: "CERTWIRE_WINDOWS_ONLY" });
});
