// The addon reads the CRLs of a CA that a stand-in plays, and learns which CA it is without the right to read.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { fixture } from "../support/exit-records.ts";
import {
  assertClean,
  type DatabaseScript,
  prepareDatabase,
  readDatabase,
  type ScriptRow,
} from "./support/database-standin.ts";

const sha256 = (der: Buffer) => createHash("sha256").update(der).digest("hex");
const row: ScriptRow = { id: 1, columns: { "Request.Disposition": { long: 20 } } };

test("the CRLs of the database come in its order, with those of the partitions", async (t) => {
  if (!(await prepareDatabase(t))) return;
  const [base, delta] = [fixture("base-crl"), fixture("delta-crl")];
  const binary = (der: Buffer) => ({ binary: der.toString("base64") });
  const script: DatabaseScript = {
    rows: [row],
    crls: [
      {
        id: 4,
        columns: {
          CRLNameId: { long: 0x10002 },
          CRLMinBase: { long: 0 },
          CRLThisPublish: { date: 46082.5 },
          CRLPartitionIndex: { long: 0 },
          CRLRawCRL: binary(base),
        },
      },
      {
        id: 6,
        columns: {
          CRLNameId: { long: 0 },
          CRLMinBase: { long: 4112 },
          CRLPartitionIndex: { long: 3 },
          CRLRawCRL: binary(delta),
        },
      },
      { id: 7 },
    ],
    ca: {
      11: { long: 2 },
      "12.1": { binary: fixture("ca-ecdsa").toString("base64") },
      "20.0": { long: 3 },
      "20.1": { long: 5 },
      46: { long: 2 },
      [`47.${2 << 16}`]: binary(base),
      [`48.${1 << 16}`]: binary(delta),
    },
  };
  const { result, report } = await readDatabase(script);
  assert.equal(result.error, undefined);
  const [baseHex, deltaHex] = [base, delta].map((der) => ({ hex: der.toString("hex") }));
  assert.deepEqual(result.crls, [
    {
      id: 4,
      publishedMs: Date.parse("2026-03-01T12:00:00Z"),
      crls: [{ index: 2, kind: "base", der: baseHex }],
    },
    { id: 6, crls: [{ index: 0, kind: "delta", der: deltaHex, partition: 3 }] },
    { id: 7, crls: [] },
  ]);
  assert.deepEqual(result.partitioned, [
    { index: 0, kind: "delta", der: deltaHex, partition: 1 },
    { index: 0, kind: "base", der: baseHex, partition: 2 },
  ]);
  assertClean(report);
});

test("thousands of CRLs come in a few views", async (t) => {
  if (!(await prepareDatabase(t))) return;
  const rows = 5000;
  const der = fixture("base-crl");
  // What comes after the CRL makes each another one.
  const crls = Array.from({ length: rows }, (_, index) => {
    const own = Buffer.concat([der, Buffer.from(String(index))]);
    const columns = { CRLMinBase: { long: 0 }, CRLRawCRL: { binary: own.toString("base64") } };
    return { id: 3 * index + 1, columns };
  });
  const { result, report } = await readDatabase({ crls });
  assert.equal(result.error, undefined);
  assert.deepEqual(
    result.crls.map(({ id }) => id),
    crls.map(({ id }) => id),
  );
  const hashes = new Set(result.crls.map(({ crls: [crl] }) => Object(Object(crl).der).hex));
  assert.equal(hashes.size, rows);
  assertClean(report);
  // However slow the machine is, a view shows the 50 rows of the first page or more than one.
  assert.ok(Number(report?.views) < rows / 2, `${report?.views} views`);
  t.diagnostic(
    `${rows} CRLs in ${report?.views} views, the longest ${report?.longestViewMs} ms, ` +
      `${Math.round(result.ms)} ms in all`,
  );
});

test("CRLs of 50 MB are in memory one at a time, cut as the exit module cuts them", async (t) => {
  if (!(await prepareDatabase(t))) return;
  const ders = [4, 6].map((byte) => Buffer.alloc(50_000_000, byte));
  const crls = ders.map((der, index) => ({
    id: 4 + index,
    columns: { CRLMinBase: { long: 0 }, CRLRawCRL: { binary: der.toString("base64") } },
  }));
  const { result, report } = await readDatabase({ crls });
  assert.equal(result.error, undefined);
  const found = result.crls.map(({ crls: [crl] }) => {
    const { length, sha256: digest } = Object(Object(crl).der);
    return { length, digest };
  });
  const expected = ders.map((der) => ({ length: der.length, digest: { hex: sha256(der) } }));
  assert.deepEqual(found, expected);
  assertClean(report);
});

test("an older server has CRLs without partitions", async (t) => {
  if (!(await prepareDatabase(t))) return;
  const columns = { CRLRawCRL: { binary: fixture("base-crl").toString("base64") } };
  const script = { crls: [{ id: 4, columns }], lacking: ["CRLPartitionIndex"] };
  const { result, report } = await readDatabase(script);
  assert.equal(result.error, undefined);
  assert.deepEqual(
    result.crls.map(({ id, crls }) => [id, crls.length]),
    [[4, 1]],
  );
  assert.deepEqual(result.partitioned, []);
  assertClean(report);
});

test("who may not read the database still learns which CA it is", async (t) => {
  if (!(await prepareDatabase(t))) return;
  const faults = [{ call: "GetMyRoles", hresult: "0x80070005" }];
  const task = { certificates: [sha256(fixture("ca-ecdsa"))] };
  const { result, report } = await readDatabase({ rows: [row], faults }, task);
  assert.equal(result.error?.code, "CERTWIRE_CA_DATABASE_OTHER");
  assert.ok((report?.calls["RequestGetCAProperty"] ?? 0) > 0);
  assertClean(report);
});
