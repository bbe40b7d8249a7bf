import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { CaDatabase, type CaDatabaseOptions } from "../../../src/ca-database/ca-database.ts";
import { nextPageRows } from "../../../src/ca-database/page-size.ts";
import {
  type NativeCaDatabase,
  type NativeCaFacts,
  type NativeRowPage,
  type NativeRowRequest,
  nativeCaDatabase,
} from "../../../src/native/ca-database.ts";
import { encodeRecord, fixture } from "../../support/exit-records.ts";

const config = "CA01\\Contoso";
const facts: NativeCaFacts = {
  name: "Contoso",
  sanitizedName: "Contoso",
  dnsName: "ca01.contoso.com",
  type: 1,
  roles: 0x100,
  certificates: [fixture("ca-rsa")],
};

/** A database with the ids 1 to `count`, whose views take as long as they are told. */
class MemoryDatabase implements NativeCaDatabase {
  readonly requests: NativeRowRequest[] = [];
  facts = facts;
  /** How the next calls fail or what they wait for, in order; the others succeed. */
  readonly next: (() => Promise<void>)[] = [];
  readonly #count: number;
  readonly #viewMs: (request: NativeRowRequest) => number;

  constructor(count: number, viewMs: (request: NativeRowRequest) => number = () => 1000) {
    this.#count = count;
    this.#viewMs = viewMs;
  }

  async readFacts(): Promise<NativeCaFacts> {
    return this.facts;
  }

  async readRows(request: NativeRowRequest): Promise<NativeRowPage> {
    this.requests.push(request);
    await this.next.shift()?.();
    const { from, maxRows } = request;
    const first = request.exact ? from : from + 1;
    const last = request.exact ? from : Math.min(this.#count, from + maxRows);
    const rows: [number, number, number][] = [];
    const records: Buffer[] = [];
    let offset = 0;
    for (let id = first; id <= Math.min(last, this.#count); id += 1) {
      const record = encodeRecord({ event: 0, context: id, request: { RequestID: id } });
      rows.push([id, offset, record.length]);
      records.push(record);
      offset += record.length;
    }
    const isEnd = rows.length < maxRows;
    const viewMs = this.#viewMs(request);
    return { records: Buffer.concat(records), rows, isEnd, lackingColumns: [], viewMs };
  }
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
  const slow = new MemoryDatabase(1200, () => 3000);
  const { ids, pauses } = await readAll(slow);
  assert.equal(ids.length, 1200);
  assert.deepEqual(pauses, [3000, 3000]);
  const fast = await readAll(new MemoryDatabase(1200, () => 10));
  assert.deepEqual(fast.pauses, [250]);
});

test("pages become smaller for a slow CA and larger for a fast one, within limits", async () => {
  const sizes = { least: 50, first: 500, most: 2000 };
  assert.equal(nextPageRows(500, 2000, sizes), 500);
  assert.equal(nextPageRows(500, 5001, sizes), 250);
  assert.equal(nextPageRows(60, 5001, sizes), 50);
  assert.equal(nextPageRows(500, 499, sizes), 1000);
  assert.equal(nextPageRows(1500, 499, sizes), 2000);
  const database = new MemoryDatabase(100_000, () => 100);
  await readAll(database);
  const asked = database.requests.map(({ maxRows }) => maxRows);
  assert.deepEqual(asked.slice(0, 4), [500, 1000, 2000, 2000]);
  assert.equal(Math.max(...asked), 2000);
});

test("what may pass is waited for, longer each time, and the page begins at the same place", async () => {
  const database = new MemoryDatabase(700);
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
  const refused = new MemoryDatabase(1);
  refused.next.push(failure(0x8007_0005));
  await assert.rejects(readAll(refused), {
    code: "CERTWIRE_CA_DATABASE_REFUSED",
    message: `CA database of "${config}": OpenView: 0x80070005 E_ACCESSDENIED`,
  });
  const wrong = new MemoryDatabase(1);
  wrong.next.push(failure(0x8004_0154));
  await assert.rejects(readAll(wrong), { code: "CERTWIRE_CA_DATABASE_FAILED" });
});

test("a stop ends a wait", async () => {
  const native = new MemoryDatabase(1);
  native.next.push(failure(0x8007_06ba));
  const stop = new AbortController();
  const database = new CaDatabase(native, { config, waiting: () => stop.abort() });
  await assert.rejects(database.row(1, stop.signal), { name: "AbortError" });
});

test("a call without an answer is an error, and no other one is made before it is back", async () => {
  const native = new MemoryDatabase(1);
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

test("only a CA with a certificate of the one that is meant is read", async () => {
  const own = createHash("sha256").update(fixture("ca-rsa")).digest("hex");
  const certificates = new Set(["0".repeat(64)]);
  const native = new MemoryDatabase(3);
  await assert.rejects(readAll(native, { certificates }), { code: "CERTWIRE_CA_DATABASE_OTHER" });
  assert.equal(native.requests.length, 0);
  const { ids } = await readAll(native, { certificates: certificates.add(own) });
  assert.deepEqual(ids, [1, 2, 3]);
});

test("a CA that keeps its name but has lost its certificate is another one", async () => {
  const native = new MemoryDatabase(3);
  const database = new CaDatabase(native, { config });
  await database.facts();
  native.facts = { ...facts, certificates: [...facts.certificates, fixture("ca-ecdsa")] };
  assert.equal((await database.facts()).certificates.length, 2);
  native.facts = { ...facts, certificates: [fixture("ca-ecdsa")] };
  await assert.rejects(database.facts(), { code: "CERTWIRE_CA_DATABASE_OTHER" });
  native.facts = { ...facts, sanitizedName: "Other" };
  await assert.rejects(database.facts(), { code: "CERTWIRE_CA_DATABASE_OTHER" });
});

test("there is no database of a CA on another system than Windows", () => {
  assert.throws(nativeCaDatabase, { code: "CERTWIRE_WINDOWS_ONLY" });
});
