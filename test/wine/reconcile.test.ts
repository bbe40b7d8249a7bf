// `certwire reconcile` and `backfill` in node.exe for Windows: the journal of the exit module's own code, the database of a stand-in.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { CertwireEvent } from "../../src/events/event.ts";
import { dispositions, exitEvents } from "../../src/exit/ca-codes.ts";
import type { ReconcileReport } from "../../src/reconcile/reconcile.ts";
import { assertValid, fixture } from "../support/exit-records.ts";
import type { CaRow } from "../support/fake-ca-database.ts";
import { ReconcileScene } from "../support/reconcile-scene.ts";
import { scaled } from "../support/scale.ts";
import { useDatabase } from "./support/database-standin.ts";
import { certwireInWine } from "./support/made-up-ca.ts";
import { catchUp, prepareScene, sceneScript, writeSceneConfig } from "./support/wine-reconcile.ts";

const { issued, revoked, denied } = dispositions;
const day = 86_400_000;

function publishedIn(directory: string): CertwireEvent[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ndjson"))
    .flatMap((name) => readFileSync(join(directory, name), "utf8").trimEnd().split("\n"))
    .map((line) => JSON.parse(line) as CertwireEvent);
}

function row(id: number, begin: number, changes: Partial<CaRow> = {}): CaRow {
  const certificate = ReconcileScene.certificate(id);
  return { id, disposition: issued, submitted: begin, resolved: begin, certificate, ...changes };
}

test("journal and database are compared on Windows, and the differences are named", async (t) => {
  const scene = await prepareScene(t);
  if (scene === undefined) return;
  // Nothing that happened in the last ten minutes would be compared.
  const at = scene.begin - day;
  for (let id = 2; id <= 300; id += 1) scene.happen(exitEvents.issued, row(id, at));
  scene.database.put(row(301, at));
  const { certificate: _, ...noCertificate } = row(302, at, { disposition: denied, status: -5 });
  scene.happen(exitEvents.denied, noCertificate);
  scene.record(exitEvents.issued, row(303, at));
  scene.database.put(row(303, at, { certificate: ReconcileScene.certificate(9) }));
  scene.database.put(row(300, at, { disposition: revoked, revoked: at, reason: 1 }));
  await scene.flushed();
  const config = writeSceneConfig(scene);
  const { report } = useDatabase(sceneScript(scene));

  const table = await certwireInWine("reconcile", "--config", config);
  assert.equal(table.exitCode, 5, table.output);
  assert.match(table.output, /CA "Contoso": 302 requests of the database compared, every row/);
  assert.match(table.output, /^ {2}both +299 /m);
  assert.match(table.output, /^303 +changed +\S+Z +journal and database have different certif/m);
  assert.deepEqual(report().violations, []);

  const again = await certwireInWine("reconcile", "--config", config, "--full", "--json");
  const found = JSON.parse(again.output.slice(again.output.indexOf("{"))) as ReconcileReport;
  // That the first certificate and the revocation are not in the journal happened before it began.
  const { both, history, changed } = found.counts;
  assert.deepEqual({ both, history, changed }, { both: 299, history: 2, changed: 1 });
});

test("names that journal, registry and database write in another case are the same", async (t) => {
  const scene = await prepareScene(t);
  if (scene === undefined) return;
  const at = scene.begin - day;
  const requester = "CORP\\alice";
  const { certificate: _, ...noCertificate } = row(3, at, { disposition: denied, status: -5 });
  scene.happen(exitEvents.issued, row(2, at, { requester }));
  scene.happen(exitEvents.denied, { ...noCertificate, requester });
  scene.database.put({ ...row(2, at), requester: "corp\\Alice" });
  scene.database.put({ ...noCertificate, requester: "corp\\Alice" });
  await scene.flushed();
  const names = { 6: { string: "CONTOSO" }, 7: { string: "CONTOSO" } };
  const { report } = useDatabase({ ...sceneScript(scene), config: "ca01\\CONTOSO", ca: names });
  const { exitCode, output } = await certwireInWine(
    "reconcile",
    "--config",
    writeSceneConfig(scene),
  );
  assert.equal(exitCode, 0, output);
  assert.match(output, /CA "CONTOSO": 2 requests of the database compared/);
  assert.match(output, /^ {2}both +2 /m);
  assert.deepEqual(report().violations, []);
});

test("a backfill publishes what the journal lacks, a second one nothing, and then nothing is missing", async (t) => {
  const scene = await prepareScene(t);
  if (scene === undefined) return;
  const at = scene.begin - day;
  for (let id = 2; id <= 20; id += 1) scene.happen(exitEvents.issued, row(id, at));
  for (let id = 21; id <= 60; id += 1) scene.database.put(row(id, at));
  scene.database.put(row(20, at, { disposition: revoked, revoked: at, reason: 1 }));
  await scene.flushed();
  await catchUp(scene, "files");
  const config = writeSceneConfig(scene);
  const { report } = useDatabase(sceneScript(scene));
  const words = ["backfill", "--config", config, "--to-sink", "files"];

  const plan = await certwireInWine(...words, "--plan");
  assert.match(plan.output, /to files: 41 events about 41 requests/);
  const first = await certwireInWine(...words);
  assert.equal(first.exitCode, 0, first.output);
  const events = publishedIn(join(scene.state, "events"));
  assert.equal(events.length, 41);
  for (const event of events) {
    assertValid(event);
    assert.equal(event.origin, "database");
    assert.match(event.id, /^db-[\w-]{22}$/);
  }
  const second = await certwireInWine(...words);
  assert.equal(second.exitCode, 0, second.output);
  assert.equal(publishedIn(join(scene.state, "events")).length, 41);
  const compared = await certwireInWine("reconcile", "--config", config);
  assert.equal(compared.exitCode, 0, compared.output);
  assert.match(compared.output, /^ {2}backfilled +41 /m);
  assert.deepEqual(report().violations, []);
});

test("CRLs are compared, and those that are missing and those of the partitions are published once", async (t) => {
  const scene = await prepareScene(t);
  if (scene === undefined) return;
  const at = scene.begin - day;
  const [base, delta] = [fixture("base-crl"), fixture("delta-crl")];
  scene.recordCrls({ base });
  await scene.flushed();
  const crls = [base, delta].map((der, index) => ({
    id: index + 1,
    columns: {
      CRLMinBase: { long: index },
      CRLThisPublish: { date: at / day + 25_569 },
      CRLRawCRL: { binary: der.toString("base64") },
    },
  }));
  const partitioned = Buffer.concat([base, Buffer.from([1])]);
  const whole = sceneScript(scene);
  // The CA has two partitions, of which one has a CRL.
  const ca = {
    ...whole.ca,
    "20.0": { long: 3 },
    46: { long: 2 },
    [`47.${2 << 16}`]: { binary: partitioned.toString("base64") },
  };
  const { report } = useDatabase({ ...whole, ca, crls });
  const config = writeSceneConfig(scene);
  const compared = await certwireInWine("reconcile", "--config", config);
  assert.equal(compared.exitCode, 0, compared.output);
  assert.match(compared.output, /^CRLs:\s+both +1 .*\s+partition +1 .*\s+history +1 /m);

  await catchUp(scene, "files");
  const words = ["backfill", "--config", config, "--to-sink", "files"];
  const plan = await certwireInWine(...words, "--plan");
  assert.match(plan.output, /to files: 2 events about 2 CRLs/);
  for (const _ of ["first", "second"]) {
    const { exitCode, output } = await certwireInWine(...words);
    assert.equal(exitCode, 0, output);
  }
  const events = publishedIn(join(scene.state, "events"));
  for (const event of events) assertValid(event);
  assert.deepEqual(
    events.map(({ subject }) => subject?.replace(/\/\d+$/, "")),
    ["crl/0/delta", "crl/0/base/2"],
  );
  const after = await certwireInWine("reconcile", "--config", config, "--json");
  const found = JSON.parse(after.output.slice(after.output.indexOf("{"))) as ReconcileReport;
  const { both, backfilled } = found.crls;
  assert.deepEqual({ both, backfilled }, { both: 1, backfilled: 2 });
  assert.deepEqual(report().violations, []);
});

test("a database of any size is compared in little memory", async (t) => {
  const scene = await prepareScene(t);
  if (scene === undefined) return;
  // More than this ends the process.
  process.env["NODE_OPTIONS"] = "--max-old-space-size=96";
  t.after(() => delete process.env["NODE_OPTIONS"]);
  const rows = scaled(100_000);
  await scene.flushed();
  const der = fixture("rsa-v1-template");
  // Behind the heads of the certificate and its body and the version; the last four bytes of the number.
  const serialAt = 15 + der.readUInt8(14) - 4;
  const certificate = der.toString("base64");
  const generate = { seed: 7, certificate, serialAt, rows };
  const { report } = useDatabase({ ...sceneScript(scene), generate });
  const started = performance.now();
  const config = writeSceneConfig(scene);
  const words = ["reconcile", "--config", config, "--full", "--json", "--share", "100"];
  const { exitCode, output } = await certwireInWine(...words);
  assert.equal(exitCode, 0, output);
  const found = JSON.parse(output.slice(output.indexOf("{"))) as ReconcileReport;
  assert.equal(found.rows, rows);
  assert.equal(found.counts.history, rows);
  const { violations, longestViewMs, views } = report();
  assert.deepEqual(violations, []);
  const seconds = (performance.now() - started) / 1000;
  t.diagnostic(
    `${rows} rows in ${seconds.toFixed(1)} s, ${Math.round(rows / seconds)} rows/s, ${views} views, ` +
      `longest view ${longestViewMs} ms`,
  );
});

test("an account that may not read is told which permission to grant", async (t) => {
  const scene = await prepareScene(t);
  if (scene === undefined) return;
  const refusals = [
    ["OpenView", /CERTWIRE_CA_DATABASE_REFUSED: .*OpenView: 0x80070005 E_ACCESSDENIED/],
    // Then the CA still says who it is, to whoever may request certificates.
    ["GetMyRoles", /CERTWIRE_CA_DATABASE_REFUSED: .*"CA01\\Contoso": this account may not read it/],
  ] as const;
  for (const [call, message] of refusals) {
    useDatabase({ ...sceneScript(scene), faults: [{ call, hresult: "0x80070005" }] });
    const { exitCode, output } = await certwireInWine(
      "reconcile",
      "--config",
      writeSceneConfig(scene),
    );
    assert.equal(exitCode, 77, output);
    assert.match(output, message);
    assert.match(
      output,
      /hint: .*"NT SERVICE\\Certwire".*allow Read.*clear Request.*InterfaceFlags/,
    );
  }
});
