// `certwire reconcile` in node.exe for Windows: the journal of the exit module's own code, the database of a stand-in.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { dispositions, exitEvents } from "../../src/exit/ca-codes.ts";
import type { ReconcileReport } from "../../src/reconcile/reconcile.ts";
import type { CaRow } from "../support/fake-ca-database.ts";
import { ReconcileScene } from "../support/reconcile-scene.ts";
import {
  type DatabaseScript,
  registerDatabaseStandin,
  scriptRow,
  useDatabase,
} from "./support/database-standin.ts";
import { certwireInWine, MadeUpCas } from "./support/made-up-ca.ts";
import { prepareWine, windowsPath } from "./support/wine.ts";

const defaultExit = "CertificateAuthority_MicrosoftDefault.Exit";
const { issued, revoked, denied } = dispositions;
const day = 86_400_000;

let registered: Promise<void> | undefined;

/** A made-up CA with a database, beside a journal; `undefined` if there is no Wine. */
async function prepare(t: TestContext): Promise<ReconcileScene | undefined> {
  if (!(await prepareWine(t))) return undefined;
  registered ??= registerDatabaseStandin();
  await registered;
  const cas = await MadeUpCas.create(t);
  await cas.add("Contoso", "REG_MULTI_SZ", defaultExit);
  await cas.nameServer("Contoso", "CA01");
  return new ReconcileScene(t);
}

function script({ database }: ReconcileScene): DatabaseScript {
  const names = { 6: { string: "Contoso" }, 7: { string: "Contoso" } };
  const rows = [...database.rows.values()].map(scriptRow);
  return { config: "CA01\\Contoso", ca: names, rows };
}

function configOf(scene: ReconcileScene): string {
  const path = join(scene.state, "certwire.json");
  const config = {
    journal: { directory: windowsPath(scene.journal), minFreeMegabytes: 0 },
    state: { directory: windowsPath(scene.state) },
    sinks: [{ name: "files", url: "file:events" }],
  };
  writeFileSync(path, JSON.stringify(config));
  return windowsPath(path);
}

function row(id: number, begin: number, changes: Partial<CaRow> = {}): CaRow {
  const certificate = ReconcileScene.certificate(id);
  return { id, disposition: issued, submitted: begin, resolved: begin, certificate, ...changes };
}

test("journal and database are compared on Windows, and the differences are named", async (t) => {
  const scene = await prepare(t);
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
  const config = configOf(scene);
  const { report } = useDatabase(script(scene));

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

test("an account that may not read is told which permission to grant", async (t) => {
  const scene = await prepare(t);
  if (scene === undefined) return;
  useDatabase({ ...script(scene), faults: [{ call: "OpenView", hresult: "0x80070005" }] });
  const { exitCode, output } = await certwireInWine("reconcile", "--config", configOf(scene));
  assert.equal(exitCode, 77, output);
  assert.match(output, /CERTWIRE_CA_DATABASE_REFUSED: .*OpenView: 0x80070005 E_ACCESSDENIED/);
  assert.match(output, /hint: .*the permission Read, and nothing else/);
});
