import assert from "node:assert/strict";
import { test } from "node:test";
import { dispositions, exitEvents } from "../../../src/exit/ca-codes.ts";
import { planBackfill } from "../../../src/reconcile/backfill.ts";
import { fixture } from "../../support/exit-records.ts";
import type { CaRow } from "../../support/fake-ca-database.ts";
import { classesOf } from "../../support/reconcile-report.ts";
import { ReconcileScene } from "../../support/reconcile-scene.ts";

test("names that journal and database write in another case are the same", async (t) => {
  const scene = new ReconcileScene(t);
  const { begin, database } = scene;
  const shouted = {
    SanitizedCAName: { string: "CONTOSO" },
    RawCACertificate: { binary: scene.caCertificate },
  };
  const dates = { submitted: begin, resolved: begin };
  const certificate = ReconcileScene.certificate(2);
  const { issued, pending, denied } = dispositions;
  const rows: CaRow[] = [
    { id: 2, disposition: issued, ...dates, certificate, requester: "CORP\\alice" },
    { id: 3, disposition: pending, submitted: begin, requester: "CORP\\bob" },
    { id: 4, disposition: denied, ...dates, status: -5 },
    // A second later in the database than in the journal, too.
    { id: 5, disposition: denied, ...dates, status: -5 },
  ];
  const events = [exitEvents.issued, exitEvents.pending, exitEvents.denied, exitEvents.denied];
  for (const [at, row] of rows.entries()) {
    scene.record(events[at] ?? 0, row, shouted);
    const requester = row.requester?.toUpperCase();
    database.put({ ...row, ...(requester !== undefined && { requester }) });
  }
  database.put({ ...rows[3], id: 5, submitted: begin + 1000 });
  const report = await scene.reconcile();
  assert.deepEqual(classesOf(report), { both: 4 });
  assert.equal(report.otherCa, 0);
  // A backfill sees the same, and so does the CA when it writes its name in another way.
  database.facts = { ...database.facts, name: "contoso", sanitizedName: "contoso" };
  const { requests } = await planBackfill(
    { ...(await scene.backfillOptions("memory")), settleMs: 600_000 },
    0,
    () => undefined,
    new AbortController().signal,
  );
  assert.equal(requests, 0);
  assert.deepEqual(classesOf(await scene.reconcile({ since: "full" })), { both: 4 });
  // With another certificate it is another CA, however its name is written.
  database.facts = { ...database.facts, certificates: [fixture("ca-ecdsa")] };
  await assert.rejects(scene.reconcile(), { code: "CERTWIRE_CA_DATABASE_OTHER" });
});
