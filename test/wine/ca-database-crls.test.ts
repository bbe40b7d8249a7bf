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

test("the CRLs of the database come one by one, with those of the partitions", async (t) => {
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

test("CRLs of 50 MB come one at a time, cut as the exit module cuts them", async (t) => {
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
