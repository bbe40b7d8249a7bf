// Which database it is: `certwire reconcile` and `backfill` in node.exe for Windows, beside a database that is not the one it was.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { dispositions, exitEvents } from "../../src/exit/ca-codes.ts";
import type { ReconcileReport } from "../../src/reconcile/reconcile.ts";
import { fixture } from "../support/exit-records.ts";
import type { CaRow } from "../support/fake-ca-database.ts";
import { ReconcileScene } from "../support/reconcile-scene.ts";
import { caCertificate, type DatabaseScript, useDatabase } from "./support/database-standin.ts";
import { certwireInWine, type WindowsCommandResult } from "./support/made-up-ca.ts";
import { catchUp, prepareScene, sceneScript, writeSceneConfig } from "./support/wine-reconcile.ts";

const { issued } = dispositions;
const day = 86_400_000;

function row(id: number, at: number, certificate = ReconcileScene.certificate(id)): CaRow {
  return { id, disposition: issued, submitted: at, resolved: at, certificate };
}

/** A CA whose journal and database agree about some requests. */
async function prepare(t: TestContext) {
  const scene = await prepareScene(t);
  if (scene === undefined) return undefined;
  for (let id = 2; id <= 10; id += 1) scene.happen(exitEvents.issued, row(id, scene.begin - day));
  await scene.flushed();
  await catchUp(scene, "files");
  const config = writeSceneConfig(scene);
  const reconcile = async (changes: Partial<DatabaseScript> = {}, ...words: string[]) => {
    const { report } = useDatabase({ ...sceneScript(scene), ...changes });
    const result = await certwireInWine("reconcile", "--config", config, "--json", ...words);
    assert.deepEqual(report().violations, []);
    return result;
  };
  const backfill = () => certwireInWine("backfill", "--config", config, "--to-sink", "files");
  return { scene, reconcile, backfill };
}

function countsOf({ exitCode, output }: WindowsCommandResult): Record<string, number> {
  assert.ok(exitCode === 0 || exitCode === 4 || exitCode === 5, output);
  const { counts } = JSON.parse(output.slice(output.indexOf("{"))) as ReconcileReport;
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

function assertRefused({ exitCode, output }: WindowsCommandResult, message: RegExp): void {
  assert.equal(exitCode, 78, output);
  assert.match(output, message);
}

function withCertificates(...certificates: readonly Buffer[]): Partial<DatabaseScript> {
  const values = certificates.map((der, index) => [
    `12.${index}`,
    { binary: der.toString("base64") },
  ]);
  const names = { 6: { string: "Contoso" }, 7: { string: "Contoso" } };
  return { ca: { ...names, 11: { long: certificates.length }, ...Object.fromEntries(values) } };
}

test("a restored database is refused until somebody accepts it, and numbers given again are not mixed", async (t) => {
  const prepared = await prepare(t);
  if (prepared === undefined) return;
  const { scene, reconcile, backfill } = prepared;
  assert.deepEqual(countsOf(await reconcile()), { both: 9 });
  const restored = /CERTWIRE_CA_DATABASE_RESTORED: row 10, the newest of an earlier run, is /;
  for (const id of [8, 9, 10]) scene.database.delete(id);
  assertRefused(await reconcile(), restored);
  assertRefused(await backfill(), restored);
  assert.ok(!existsSync(join(scene.state, "events")), "nothing was published");
  // The CA goes on with the same numbers: two are recorded, and one is not.
  const later = scene.begin - day / 2;
  for (const id of [8, 9]) {
    scene.happen(exitEvents.issued, row(id, later, ReconcileScene.certificate(100 + id)));
  }
  scene.database.put(row(10, later, ReconcileScene.certificate(110)));
  await scene.flushed();
  assertRefused(await reconcile(), restored);
  assert.deepEqual(countsOf(await reconcile({}, "--rescan")), { both: 8, changed: 1 });
  await catchUp(scene, "files");
  // What contradicts is an alarm, and not published.
  const published = await backfill();
  assert.equal(published.exitCode, 0, published.output);
  assert.match(published.output, /^0 events published to files/m);
});

test("a CA that was renewed with a new key is the same one, and one that lost its certificate is not", async (t) => {
  const prepared = await prepare(t);
  if (prepared === undefined) return;
  const { scene, reconcile, backfill } = prepared;
  const renewed = fixture("ca-ecdsa");
  const ca = {
    SanitizedCAName: { string: "Contoso" },
    RawCACertificate: { binary: renewed },
  };
  const at = scene.begin - day;
  // Recorded since the renewal.
  scene.database.put(row(11, at));
  scene.record(exitEvents.issued, row(11, at), ca);
  await scene.flushed();
  const before = await reconcile();
  assert.deepEqual(countsOf(before), { both: 9, history: 1 });
  assert.match(before.output, /"otherCa": 1/);
  const both = withCertificates(caCertificate, renewed);
  const after = await reconcile(both, "--full");
  assert.deepEqual(countsOf(after), { both: 10 });
  assert.match(after.output, /"otherCa": 0/);

  const other =
    /CERTWIRE_CA_DATABASE_OTHER: the CA is "Contoso", and "Contoso" was compared before/;
  assertRefused(await reconcile(withCertificates(renewed)), other);
  assertRefused(await backfill(), other);
});

test("a state directory is for one CA, and a database of another one is not compared", async (t) => {
  const prepared = await prepare(t);
  if (prepared === undefined) return;
  const { scene, reconcile, backfill } = prepared;
  // Before anything was compared: the journal knows its CA.
  assertRefused(
    await reconcile(withCertificates(fixture("ca-ecdsa"))),
    /CERTWIRE_CA_DATABASE_OTHER: the journal is of the CA "Contoso", and the database of "Contoso"/,
  );
  assertRefused(await backfill(), /CERTWIRE_CA_DATABASE_OTHER: the journal is of the CA "Contoso"/);
  assert.deepEqual(countsOf(await reconcile()), { both: 9 });
  await scene.cas.add("Fabrikam", "REG_MULTI_SZ", "", false);
  await scene.cas.nameServer("Fabrikam", "CA01");
  const fabrikam = {
    config: "CA01\\Fabrikam",
    ca: { 6: { string: "Fabrikam" }, 7: { string: "Fabrikam" } },
  };
  const result = await reconcile(fabrikam, "--ca", "Fabrikam");
  assertRefused(
    result,
    /CERTWIRE_CA_DATABASE_OTHER: the CA is "Fabrikam", and "Contoso" was compared before/,
  );
  assert.match(result.output, /hint: Give each CA a state directory of its own/);
  assert.ok(!existsSync(join(scene.state, "events")), "nothing was published");
  assert.deepEqual(countsOf(await reconcile({}, "--full")), { both: 9 });
});
