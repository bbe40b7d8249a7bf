import assert from "node:assert/strict";
import { test } from "node:test";
import { CaDatabase } from "../../../src/ca-database/ca-database.ts";
import { fixture } from "../../support/exit-records.ts";
import { caFacts, FakeCaDatabase } from "../../support/fake-ca-database.ts";

const base = fixture("base-crl");
const delta = fixture("delta-crl");
const { signal } = new AbortController();

function open(native: FakeCaDatabase): { database: CaDatabase; pauses: number[] } {
  const pauses: number[] = [];
  const sleep = async (ms: number) => void pauses.push(ms);
  return { database: new CaDatabase(native, { config: "CA01\\Contoso", sleep }), pauses };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

test("the CRLs of the database come in their order", async () => {
  const native = new FakeCaDatabase();
  native.crls = [
    { id: 3, der: base, published: 46_082.5 },
    { id: 4, kind: "delta", index: 1, partition: 2, der: delta },
    { id: 9 },
  ];
  const { database, pauses } = open(native);
  const rows = (await all(database.crls(0, signal))).flat();
  assert.deepEqual(
    rows.map(({ id, publishedMs }) => [id, publishedMs]),
    [
      [3, Date.parse("2026-03-01T12:00:00Z")],
      [4, undefined],
      [9, undefined],
    ],
  );
  assert.deepEqual(
    rows.map(({ record }) => record.crls),
    [
      [{ index: 0, kind: "base", der: base }],
      [{ index: 1, kind: "delta", partition: 2, der: delta }],
      [],
    ],
  );
  assert.ok(rows.every(({ record }) => record.ca.get("SanitizedCAName") === caFacts.sanitizedName));
  assert.deepEqual(pauses, []);
  assert.equal((await all(database.crls(3, signal))).flat().length, 2);
  assert.deepEqual(pauses, [1000], "the view before");
});

/** Rows of CRLs of `bytes` bytes, in views that are open for `viewMs`. */
function made(count: number, bytes: number, viewMs: number): FakeCaDatabase {
  const native = new FakeCaDatabase();
  const der = Buffer.alloc(bytes, 4);
  native.crls = Array.from({ length: count }, (_, index) => ({ id: 7 + index, der }));
  native.crlViewMs = viewMs;
  return native;
}

test("thousands of CRLs come in a few views, with pauses between them", async () => {
  const native = made(5000, 100, 200);
  const { database, pauses } = open(native);
  const pages = await all(database.crls(0, signal));
  assert.deepEqual(
    pages.flat().map(({ id }) => id),
    native.crls.map(({ id }) => id),
  );
  assert.deepEqual(
    pages.map(({ length }) => length),
    [50, 100, 200, 400, ...Array.from({ length: 8 }, () => 500), 250],
  );
  assert.deepEqual(pauses, Array(12).fill(250));
});

test("views become smaller where the CA takes long, down to a single CRL", async () => {
  const native = made(110, 100, 6000);
  const { database, pauses } = open(native);
  const pages = await all(database.crls(0, signal));
  assert.deepEqual(
    pages.map(({ length }) => length),
    [50, 25, 12, 6, 3, ...Array(14).fill(1)],
  );
  // After the last row there is a view that shows none.
  assert.equal(native.crlRequests.length, 20);
  assert.deepEqual(pauses, Array(19).fill(6000));
});

test("a page of large CRLs ends with the one that takes it beyond 16 MiB", async () => {
  const native = made(9, 5 * 2 ** 20, 1000);
  const { database } = open(native);
  const pages = await all(database.crls(0, signal));
  assert.deepEqual(
    pages.map((page) => page.map(({ id }) => id)),
    [[7, 8, 9, 10], [11, 12, 13, 14], [15]],
  );
  // Large ones say nothing about how many small ones would fit.
  assert.ok(native.crlRequests.every(({ maxRows }) => maxRows === 50));
});

test("a view that shows neither a row nor the end is an error", async () => {
  const native = made(1, 100, 1000);
  native.readCrls = async () => ({
    records: Buffer.alloc(0),
    rows: [],
    isEnd: false,
    viewMs: 60_000,
  });
  await assert.rejects(all(open(native).database.crls(0, signal)), {
    code: "CERTWIRE_CA_DATABASE_FAILED",
    message: /a view took too long for a single row/,
  });
});

test("a row that cannot be read now is read again, and comes once", async () => {
  const native = new FakeCaDatabase();
  native.crls = [{ id: 3, der: base }];
  const busy = Object.assign(new Error("failed"), { hresult: 0x8009_400f, call: "OpenView" });
  native.next.push(() => Promise.reject(busy));
  const { database, pauses } = open(native);
  const rows = (await all(database.crls(0, signal))).flat();
  assert.deepEqual(
    rows.map(({ id }) => id),
    [3],
  );
  assert.deepEqual(pauses, [60_000]);
});

test("the current CRL of each partition comes, and none of a CA without partitions", async () => {
  const native = new FakeCaDatabase();
  const { database } = open(native);
  assert.deepEqual(await all(database.partitionedCrls(signal)), []);
  native.partitions = { count: 3, certificates: [0, 2] };
  native.partitioned = [
    { index: 0, kind: "base", partition: 1, der: base },
    { index: 2, kind: "delta", partition: 3, der: delta },
  ];
  const rows = await all(database.partitionedCrls(signal));
  assert.deepEqual(
    rows.map(({ record, publishedMs }) => [record.crls, publishedMs]),
    native.partitioned.map((crl) => [[crl], undefined]),
  );
});

test("who may not read the database is told so before a row is asked for", async () => {
  const native = new FakeCaDatabase([{ id: 1 }]);
  const refused = { code: "CERTWIRE_CA_DATABASE_REFUSED", message: /may not read it/ };
  // Nothing, and only the permission to request certificates.
  for (const roles of [0, 0x200]) {
    native.facts = { ...caFacts, roles };
    const { database } = open(native);
    assert.equal((await database.facts()).roles, roles);
    await assert.rejects(database.readableFacts(), refused);
    await assert.rejects(all(database.crls(0, signal)), refused);
    const selection = { after: 0, columns: "scan" } as const;
    await assert.rejects(all(database.pages(selection, signal)), refused);
  }
  assert.deepEqual(native.requests, []);
});
