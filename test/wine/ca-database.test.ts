// The addon reads the database of a CA that a stand-in plays: it evaluates restrictions and notes every breach of the
// interfaces' contract.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { fixture } from "../support/exit-records.ts";
import { scaled } from "../support/scale.ts";
import {
  assertClean,
  caCertificate,
  config,
  type DatabaseScript,
  generatedDisposition,
  generatedDispositions,
  prepareDatabase,
  readDatabase,
  type ScriptRow,
} from "./support/database-standin.ts";

const certificate = fixture("rsa-v1-template");
// Behind the heads of the certificate and its body and the version; the last four bytes of the number.
const serialLengthAt = 14;
const serialAt = serialLengthAt + 1 + certificate.readUInt8(serialLengthAt) - 4;
const generate = { seed: 7, certificate: certificate.toString("base64"), serialAt };
const sha256 = (der: Buffer) => createHash("sha256").update(der).digest("hex");
const row = (id: number, disposition = 20): ScriptRow => ({
  id,
  columns: { "Request.Disposition": { long: disposition } },
});

test("a row arrives as the exit module would have recorded it", async (t) => {
  if (!(await prepareDatabase(t))) return;
  const loneSurrogate = Buffer.from("610000d8", "hex").toString("base64");
  const script: DatabaseScript = {
    rows: [
      {
        id: 7,
        columns: {
          "Request.RequestID": { long: 7 },
          "Request.Disposition": { short: 20 },
          "Request.StatusCode": { unsigned: 0x80094014 },
          "Request.SubmittedWhen": { date: 46082.5 },
          "Request.RequesterName": { string: "CONTOSO\\alice" },
          "Request.CallerName": { utf16: loneSurrogate },
          "Request.RequestAttributes": { string: "cdc:dc01\nChallenge:4711\nPin:99" },
          "Request.AttestationChallenge": { binary: Buffer.from("secret").toString("base64") },
          "Request.RawRequest": { binary: Buffer.from([0, 1, 0]).toString("base64") },
          "Request.RawName": { binary: "" },
          "Request.RawArchivedKey": { binary: Buffer.from("key").toString("base64") },
          "Request.KeyRecoveryHashes": { variant: "null" },
          "Request.Officer": { string: "not a number" },
          "Request.DispositionMessage": { hresult: "0x80004005" },
          CertificateHash: { string: "0a 1b" },
          RawCertificate: { binary: certificate.toString("base64") },
        },
        attributes: [
          ["cdc", { string: "dc01" }],
          ["Challenge", { string: "4711" }],
          ["Pin", { string: "99" }],
        ],
        extensions: [["2.5.29.15", 0x60001, { binary: "AwIFoA==" }]],
      },
    ],
  };
  const task = { columns: "whole", secretAttributes: ["Pin"] } as const;
  const { result, report } = await readDatabase(script, task);
  assert.equal(result.error, undefined);
  const [found] = result.rows;
  const date = Buffer.alloc(8);
  date.writeDoubleLE(46082.5);
  assert.deepEqual(found, {
    event: 0,
    context: 7,
    request: {
      RequestID: 7,
      Disposition: 20,
      StatusCode: 0x80094014 | 0,
      SubmittedWhen: { oleDate: { hex: date.toString("hex") } },
      RequesterName: "CONTOSO\\alice",
      CallerName: { utf16: { hex: "610000d8" } },
      RequestAttributes: "cdc:dc01\nChallenge:[redacted]\nPin:[redacted]",
      AttestationChallenge: { length: 6, sha256: { hex: sha256(Buffer.from("secret")) } },
      RawRequest: { hex: "000100" },
      RawName: { hex: "" },
    },
    certificate: {
      RequestID: 7,
      CertificateHash: "0a 1b",
      RawCertificate: { hex: certificate.toString("hex") },
    },
    ca: {
      Name: "Contoso Issuing CA",
      SanitizedCAName: "Contoso Issuing CA",
      MachineDNSName: "ca01.contoso.com",
      CAType: 1,
      RawCACertificate: { hex: caCertificate.toString("hex") },
    },
    attributes: [
      ["cdc", "dc01"],
      ["Challenge", { redacted: true }],
      ["Pin", { redacted: true }],
    ],
    extensions: [{ oid: "2.5.29.15", flags: 0x60001, der: { hex: "030205a0" } }],
    problems: [
      { name: "request.DispositionMessage", reason: 0x80004005 },
      { name: "request.Officer", reason: "type" },
    ],
  });
  assertClean(report);
});

test("a large database comes whole, in order, page by page, in flat memory", async (t) => {
  if (!(await prepareDatabase(t))) return;
  const rows = scaled(20_000);
  const stride = 3;
  const ids = Array.from({ length: rows }, (_, index) => 5 + index * stride);
  const script = { generate: { ...generate, rows, stride, firstId: 5 } };
  const { result, report } = await readDatabase(script, { keepsRows: false });
  assert.equal(result.error, undefined);
  const last = ids.at(-1);
  assert.deepEqual(result.ids, { count: rows, first: 5, last, ascending: true });
  assert.deepEqual(result.dispositions, generatedDispositions(ids, generate.seed));
  assert.ok(result.memory.most - result.memory.first < 100, JSON.stringify(result.memory));
  t.diagnostic(
    `${rows} rows in ${Math.round(result.ms)} ms, ${result.pages.length} pages, longest view ` +
      `${report?.longestViewMs} ms, memory ${JSON.stringify(result.memory)} MiB`,
  );
  assertClean(report);
});

test("what has changed since a time is found by its dates, and rows by their ids", async (t) => {
  if (!(await prepareDatabase(t))) return;
  const rows = 3000;
  const ids = Array.from({ length: rows }, (_, index) => index + 1);
  // A row is submitted every 10 s, resolved a second later, and revoked a day later.
  const firstDay = Date.UTC(2026, 0, 1);
  const sinceMs = firstDay + 2000 * 10_000;
  const wanted = [1, 2, 5, 700, 2999, 3000, 3001];
  const script = { generate: { ...generate, rows } };
  const { result, report } = await readDatabase(script, { sinceMs, wanted, keepsRows: false });
  assert.equal(result.error, undefined);
  const of = (id: number) => generatedDisposition(id, generate.seed);
  assert.deepEqual(result.changed, {
    submitted: ids.filter((id) => id >= 2000),
    resolved: ids.filter((id) => id >= 2000 && of(id) !== 9),
    revoked: ids.filter((id) => of(id) === 21),
  });
  assert.deepEqual(result.wanted, wanted.slice(0, -1));
  assert.equal(result.newest, rows);
  assertClean(report);
});

for (const count of [0, 1, 500, 501]) {
  test(`${count} rows are ${count} rows, and then the end`, async (t) => {
    if (!(await prepareDatabase(t))) return;
    const script = { generate: { ...generate, rows: count, firstId: 2 ** 31 - count } };
    const { result, report } = await readDatabase(script);
    assert.equal(result.error, undefined);
    assert.equal(result.ids.count, count);
    assert.equal(result.ids.last, count === 0 ? 0 : 2 ** 31 - 1);
    assertClean(report);
  });
}

const passing: [what: string, call: string, hresult: string, row: number | undefined][] = [
  ["closes the view", "Next", "0x80070006", 300],
  ["stops in the middle of a row", "GetValue", "0x800706be", 300],
  ["has gone between two rows", "EnumCertViewColumn", "0x80010108", 300],
  ["has no session left", "OpenView", "0x8009400f", undefined],
  ["is stopped", "OpenConnection", "0x800706ba", undefined],
];

for (const [what, call, hresult, at] of passing) {
  test(`when the CA ${what}, the page begins again later, and each row comes once`, async (t) => {
    if (!(await prepareDatabase(t))) return;
    const fault = { call, hresult, view: 2, ...(at !== undefined && { row: at }), times: 1 };
    const script = { generate: { ...generate, rows: 1500 }, faults: [fault] };
    const { result, report } = await readDatabase(script);
    assert.equal(result.error, undefined);
    assert.deepEqual(result.ids, { count: 1500, first: 1, last: 1500, ascending: true });
    assert.deepEqual(
      result.waits.map(({ code, delayMs }) => [code, delayMs]),
      [["CERTWIRE_CA_DATABASE_FAILED", 60_000]],
    );
    assert.match(result.waits[0]?.message ?? "", new RegExp(hresult));
    assertClean(report);
  });
}

test("a view that the CA would close after 400 rows is never that long", async (t) => {
  if (!(await prepareDatabase(t))) return;
  const rows = Array.from({ length: 450 }, (_, index) => row(index + 1));
  const faults = [{ call: "Next", row: 401, hresult: "0x80070006" }];
  const { result, report } = await readDatabase({ rows, faults }, { columns: "whole" });
  assert.equal(result.error, undefined);
  assert.equal(result.ids.count, 450);
  assert.deepEqual(result.waits, []);
  assertClean(report);
});

for (const call of ["OpenConnection", "OpenView", "GetCAProperty"]) {
  test(`where ${call} is refused, the error says so at once, and nothing is tried again`, async (t) => {
    if (!(await prepareDatabase(t))) return;
    const { result, report } = await readDatabase({
      rows: [row(1)],
      faults: [{ call, hresult: "0x80070005" }],
    });
    assert.equal(result.error?.code, "CERTWIRE_CA_DATABASE_REFUSED");
    assert.match(result.error?.message ?? "", new RegExp(`${call}: 0x80070005 E_ACCESSDENIED`));
    assert.equal(report?.calls[call], call.startsWith("Get") ? 2 : 1);
    assert.deepEqual(result.waits, []);
    assertClean(report);
  });
}

test("without the right to read, the error says so at once, and no row is asked for", async (t) => {
  if (!(await prepareDatabase(t))) return;
  const faults = [{ call: "GetMyRoles", hresult: "0x80070005" }];
  const { result, report } = await readDatabase({ rows: [row(1)], faults });
  assert.equal(result.error?.code, "CERTWIRE_CA_DATABASE_REFUSED");
  assert.equal(report?.views, 0);
  assert.deepEqual(result.waits, []);
  assertClean(report);
});

test("a CA that is not the one that is meant is not read", async (t) => {
  if (!(await prepareDatabase(t))) return;
  const certificates = [sha256(fixture("ca-ecdsa"))];
  const { result, report } = await readDatabase({ rows: [row(1)] }, { certificates });
  assert.equal(result.error?.code, "CERTWIRE_CA_DATABASE_OTHER");
  assert.equal(report?.views, 0);
  const own = await readDatabase({ rows: [row(1)] }, { certificates: [sha256(caCertificate)] });
  assert.equal(own.result.ids.count, 1);
});

test("when another CA answers between two pages, reading ends before its rows", async (t) => {
  if (!(await prepareDatabase(t))) return;
  const other = { "12.0": { binary: fixture("ca-ecdsa").toString("base64") } };
  const { result, report } = await readDatabase({
    generate: { ...generate, rows: 1500 },
    changes: [{ view: 1, row: 500, ca: other }],
  });
  assert.equal(result.error?.code, "CERTWIRE_CA_DATABASE_OTHER");
  assert.equal(result.ids.count, 500);
  assert.equal(report?.views, 1);
});

test("a renewed CA is the same one", async (t) => {
  if (!(await prepareDatabase(t))) return;
  const renewed = {
    11: { long: 2 },
    "12.1": { binary: fixture("ca-ecdsa").toString("base64") },
  };
  const { result } = await readDatabase({
    generate: { ...generate, rows: 600 },
    changes: [{ view: 1, row: 500, ca: renewed }],
  });
  assert.equal(result.error, undefined);
  assert.equal(result.ids.count, 600);
});

test("rows that are added, changed and deleted while pages are read come as they are then", async (t) => {
  if (!(await prepareDatabase(t))) return;
  const rows = Array.from({ length: 700 }, (_, index) => row(index + 1, 9));
  const { result, report } = await readDatabase({
    rows,
    changes: [{ view: 1, row: 400, rows: [row(100), row(600), row(800)], delete: [50, 650] }],
  });
  assert.equal(result.error, undefined);
  const seen = new Map(
    result.rows.map(({ context, request }) => [context, Object(request)["Disposition"] as number]),
  );
  assert.equal(result.rows.length, seen.size, "no row twice");
  assert.deepEqual(
    [50, 100, 600, 650, 800].map((id) => seen.get(id)),
    [9, 9, 20, undefined, 20],
  );
  assertClean(report);
});

/** Columns that came with a version of Windows Server, the newest first. */
const columnsSince: [version: string, columns: string[]][] = [
  ["2022", ["Request.LinterCertificate"]],
  ["2019 with updates", ["Request.CRLPartitionIndex"]],
  ["2016", ["Request.RawPrecertificate"]],
  [
    "2012 R2",
    [
      "Request.AttestationChallenge",
      "Request.EndorsementKeyHash",
      "Request.EndorsementCertificateHash",
    ],
  ],
  ["2012", ["PrivatekeyFlags"]],
];

for (const [index, [version]] of columnsSince.entries()) {
  test(`a server before ${version} lacks columns, which are left out and named`, async (t) => {
    if (!(await prepareDatabase(t))) return;
    const lacking = columnsSince.slice(0, index + 1).flatMap(([, columns]) => columns);
    const script = { rows: [row(3)], lacking };
    const { result, report } = await readDatabase(script, { columns: "whole" });
    assert.equal(result.error, undefined);
    assert.equal(result.ids.count, 1);
    // This one is in the protocol's specification only.
    const unknown = "Request.RequesterNameFromOldCertificate";
    assert.deepEqual(result.lacking.toSorted(), [...lacking, unknown].toSorted());
    assertClean(report);
  });
}

test("the largest values that columns may have come whole", async (t) => {
  if (!(await prepareDatabase(t))) return;
  const bytes = Buffer.alloc(65_536, "\0request");
  const text = "ü\u{1f511} ".repeat(4096).slice(0, 16_384);
  const columns = {
    "Request.RawRequest": { binary: bytes.toString("base64") },
    "Request.RequestAttributes": { string: text },
  };
  const { result, report } = await readDatabase(
    { rows: [{ id: 3, columns }] },
    { columns: "whole" },
  );
  assert.equal(result.error, undefined);
  const request = Object(result.rows[0]?.["request"]);
  assert.deepEqual(request.RawRequest, { hex: bytes.toString("hex") });
  assert.equal(request.RequestAttributes, text);
  assertClean(report);
});

test("a server that ignores the order is not believed", async (t) => {
  if (!(await prepareDatabase(t))) return;
  const liar: ScriptRow = { id: 5, columns: { RequestID: { long: 2 } } };
  const { result } = await readDatabase({ rows: [row(3), liar] });
  assert.equal(result.error?.code, "CERTWIRE_CA_DATABASE_FAILED");
  assert.match(result.error?.message ?? "", /rows out of order/);
  assert.equal(result.ids.count, 0, "the page is void");
});

test("single rows are read by their id, and one that is gone is not there", async (t) => {
  if (!(await prepareDatabase(t))) return;
  const script = { generate: { ...generate, rows: 1000 }, rows: [row(5000)] };
  const task = { after: 990, single: [5000, 17, 4000] };
  const { result, report } = await readDatabase(script, task);
  assert.equal(result.error, undefined);
  assert.equal(result.ids.count, 11);
  assert.deepEqual(
    result.single.map((each) => each && each["context"]),
    [5000, 17, null],
  );
  assertClean(report);
});

test("a CA that does not answer is left alone, and holds up nothing", async (t) => {
  if (!(await prepareDatabase(t))) return;
  const script = { rows: [row(1)], faults: [{ call: "OpenView", endless: true }] };
  const { result } = await readDatabase(script, { stuckAfterMs: 500 });
  assert.equal(result.error?.code, "CERTWIRE_CA_DATABASE_STUCK");
  assert.equal(result.errorAfter?.code, "CERTWIRE_CA_DATABASE_STUCK", "no second call is made");
});

test("a CA by another name is an error that names both", async (t) => {
  if (!(await prepareDatabase(t))) return;
  const { result } = await readDatabase({ rows: [] }, { config: "CA01\\Other" });
  assert.equal(result.error?.code, "CERTWIRE_CA_DATABASE_FAILED");
  assert.match(result.error?.message ?? "", /"CA01\\Other": .*0x80070057 E_INVALIDARG/);
  assert.notEqual(config, "CA01\\Other");
});

test("a page of large rows ends early, and no row is lost", async (t) => {
  if (!(await prepareDatabase(t))) return;
  const large = { binary: Buffer.alloc(2 ** 20, 7).toString("base64") };
  const rows = Array.from({ length: 18 }, (_, index) => ({
    id: index + 1,
    columns: { "Request.RawRequest": large },
  }));
  const { result, report } = await readDatabase({ rows }, { columns: "whole", keepsRows: false });
  assert.equal(result.error, undefined);
  assert.deepEqual(result.pages, [16, 2]);
  assert.deepEqual(result.ids, { count: 18, first: 1, last: 18, ascending: true });
  assertClean(report);
});

test("a row without an id is an error that is not tried again", async (t) => {
  if (!(await prepareDatabase(t))) return;
  const faults = [{ call: "GetValue", name: "RequestID", hresult: "0x80094004" }];
  const { result } = await readDatabase({ rows: [row(5)], faults });
  assert.equal(result.error?.code, "CERTWIRE_CA_DATABASE_FAILED");
  assert.match(result.error?.message ?? "", /a row without a RequestID: 0x8007000d/);
  assert.deepEqual(result.waits, []);
});
