import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { dispositions, exitEvents } from "../../../src/exit/ca-codes.ts";
import { emptyRun, RunFile } from "../../../src/reconcile/run-file.ts";
import { fixture } from "../../support/exit-records.ts";
import { caFacts } from "../../support/fake-ca-database.ts";
import { classesOf, findingsOf, issuedRow } from "../../support/reconcile-report.ts";
import { ReconcileScene } from "../../support/reconcile-scene.ts";

const second = 1000;
const day = 86_400_000;
const { revoked, pending, denied, failed } = dispositions;
const refused = 0x80094014 | 0;

test("each kind of difference is found, and what agrees is not one", async (t) => {
  const scene = new ReconcileScene(t);
  const { begin, database } = scene;
  const submitted = begin;
  const at = { submitted, resolved: begin + second };

  // Both know the same.
  scene.happen(exitEvents.issued, issuedRow(scene, 2));
  scene.happen(exitEvents.denied, { id: 3, disposition: denied, ...at, status: refused });
  scene.happen(exitEvents.denied, { id: 4, disposition: failed, ...at, status: 5 });
  scene.happen(exitEvents.pending, { id: 5, disposition: pending, submitted });
  // The journal also knows what the database has forgotten.
  scene.happen(exitEvents.pending, { id: 6, disposition: pending, submitted });
  scene.happen(exitEvents.denied, { id: 6, disposition: denied, ...at, status: refused });
  scene.happen(exitEvents.issued, issuedRow(scene, 6));
  // Held, and released.
  const hold = { revoked: begin + 60 * second, reason: 6 };
  scene.happen(exitEvents.issued, issuedRow(scene, 7));
  scene.happen(exitEvents.revoked, issuedRow(scene, 7, { disposition: revoked, ...hold }));
  const release = { revoked: begin + 90 * second, reason: -1 };
  scene.happen(exitEvents.revoked, issuedRow(scene, 7, release));
  // A date of the database that was rounded to the next second.
  scene.record(exitEvents.revoked, issuedRow(scene, 8, { disposition: revoked, ...hold }));
  scene.record(exitEvents.issued, issuedRow(scene, 8));
  database.put(
    issuedRow(scene, 8, { disposition: revoked, reason: 6, revoked: hold.revoked + second }),
  );

  // Only in the database.
  database.put(issuedRow(scene, 10));
  database.put({ id: 11, disposition: denied, ...at, status: refused });
  // A step is missing.
  scene.record(exitEvents.issued, issuedRow(scene, 12));
  database.put(issuedRow(scene, 12, { disposition: revoked, ...hold }));
  // Revoked a second time, for another reason, and the journal has not seen that.
  scene.happen(exitEvents.issued, issuedRow(scene, 13));
  scene.record(exitEvents.revoked, issuedRow(scene, 13, { disposition: revoked, ...hold }));
  database.put(issuedRow(scene, 13, { disposition: revoked, ...hold, reason: 1 }));
  // The journal goes further than the database.
  scene.happen(exitEvents.issued, issuedRow(scene, 14));
  scene.record(exitEvents.revoked, issuedRow(scene, 14, { disposition: revoked, ...hold }));
  // Another certificate.
  scene.record(exitEvents.issued, issuedRow(scene, 15));
  database.put(issuedRow(scene, 15, { certificate: ReconcileScene.certificate(1500) }));

  // From before the journal.
  database.put(issuedRow(scene, 16, { submitted: begin - day, resolved: begin - day }));
  // Being processed; the CA's own; a state that nobody knows.
  database.put({ id: 17, disposition: dispositions.active, submitted });
  database.put({ id: 1, disposition: dispositions.caCertificate, ...at });
  database.put({ id: 18, disposition: 99, ...at });
  // Happened just now.
  database.put(issuedRow(scene, 19, { resolved: database.now() - second }));
  // Deleted, and never stored.
  scene.record(exitEvents.issued, issuedRow(scene, 20));
  scene.record(exitEvents.issued, issuedRow(scene, 21, { generalFlags: 0x1000 }));
  scene.record(exitEvents.issued, issuedRow(scene, 40_000));

  const report = await scene.reconcile();
  assert.equal(report.mode, "full");
  assert.equal(report.isInterrupted, false);
  assert.equal(report.rows, database.rows.size);
  assert.deepEqual(classesOf(report), {
    both: 7,
    missing: 2,
    state: 3,
    changed: 1,
    history: 1,
    unsettled: 2,
    own: 1,
    unknown: 1,
    deleted: 2,
    unstored: 1,
  });
  const lacks = (kinds: string) => `the journal lacks ${kinds}`;
  const gone = "the journal has certificate.issued, and the database has no row";
  assert.deepEqual(findingsOf(report), [
    [10, "missing", ["certificate.issued"], undefined],
    [11, "missing", ["request.denied"], undefined],
    [12, "state", ["certificate.revoked"], lacks("certificate.revoked")],
    [13, "state", ["certificate.revoked"], lacks("certificate.revoked")],
    [14, "state", [], "the journal goes on with certificate.revoked, and the database does not"],
    [15, "changed", [], "journal and database have different certificates"],
    [18, "unknown", [], "disposition 99"],
    [20, "deleted", [], gone],
    [40_000, "deleted", [], gone],
  ]);
  const lines = readFileSync(report.findingsFile, "utf8").trimEnd().split("\n");
  assert.deepEqual(
    lines.map((line) => JSON.parse(line) as unknown),
    report.findings,
  );
});

test("what the journal has forgotten is still known, and what is older than the first reading is history", async (t) => {
  const scene = new ReconcileScene(t);
  const old = { submitted: scene.begin - day, resolved: scene.begin - day };
  for (let id = 2; id <= 50; id += 1) scene.happen(exitEvents.issued, issuedRow(scene, id, old));
  const first = await scene.reconcile({ since: "full" });
  assert.deepEqual(classesOf(first), { both: 49 });
  for (const name of readdirSync(scene.paths.index)) assert.match(name, /^\d{6}\.idx$/);
  const fresh = new ReconcileScene(t, scene.database);
  await fresh.flushed();
  // As if retention had deleted the segments that were read: what is left begins later.
  const report = await scene.reconcile({ since: "full", journal: fresh.journal });
  assert.deepEqual(classesOf(report), { both: 49 });
  const [before, after] = [first, report].map(({ coveredSince = "" }) => Date.parse(coveredSince));
  assert.ok(Number(after) > Number(before), "the records in between are not known");
  rmSync(scene.paths.directory, { recursive: true });
  fresh.database.put(issuedRow(fresh, 51));
  const anew = await scene.reconcile({ since: "full", journal: fresh.journal });
  assert.deepEqual(classesOf(anew), { history: 49, missing: 1 });
});

test("a later run compares only what has changed since", async (t) => {
  const scene = new ReconcileScene(t);
  const { database, begin } = scene;
  const earlier = begin - 10 * day;
  const old = { submitted: earlier, resolved: earlier };
  for (let id = 2; id <= 40; id += 1) scene.happen(exitEvents.issued, issuedRow(scene, id, old));
  const first = await scene.reconcile({ now: () => begin - 2 * day });
  assert.deepEqual([first.mode, first.rows], ["full", 39]);

  const late = { revoked: begin, reason: 1 };
  database.put(issuedRow(scene, 5, { disposition: revoked, ...old, ...late }));
  scene.record(exitEvents.revoked, issuedRow(scene, 5, { disposition: revoked, ...old, ...late }));
  database.put(issuedRow(scene, 6, { disposition: revoked, ...old, ...late }));
  database.put(issuedRow(scene, 41));
  database.put({ id: 42, disposition: pending, submitted: begin });
  scene.happen(exitEvents.issued, issuedRow(scene, 43, { submitted: earlier }));
  scene.record(exitEvents.issued, issuedRow(scene, 44));
  scene.record(exitEvents.issued, issuedRow(scene, 45, { generalFlags: 0x1000 }));
  database.requests.length = 0;

  const report = await scene.reconcile();
  assert.equal(report.mode, "since");
  assert.equal(report.since, new Date(begin - 2 * day - 3_600_000).toISOString());
  // The rows that were not changed have events since, too, since the journal is young.
  const changed = findingsOf(report).toSorted(
    (a, b) => Number(Object(a)[0]) - Number(Object(b)[0]),
  );
  assert.deepEqual(changed, [
    [6, "state", ["certificate.revoked"], "the journal lacks certificate.revoked"],
    [41, "missing", ["certificate.issued"], undefined],
    [42, "missing", ["request.pending"], undefined],
    [44, "deleted", [], "the journal has certificate.issued, and the database has no row"],
  ]);
  assert.equal(report.counts.unstored, 1);
  assert.ok(database.requests.every(({ scan, from }) => scan !== "new" || from > 0));
});

test("a run over every row that was stopped goes on where it was, with what it had found", async (t) => {
  const scene = new ReconcileScene(t);
  const { database } = scene;
  const ids = Array.from({ length: 60 }, (_, index) => 1 + index * 1000);
  for (const id of ids) {
    if (id % 7 === 0) database.put(issuedRow(scene, id));
    else scene.happen(exitEvents.issued, issuedRow(scene, id));
  }
  const whole = await scene.reconcile({ since: "full" });
  rmSync(scene.paths.directory, { recursive: true });

  const stop = new AbortController();
  const stopped = await scene.reconcile({ progress: () => stop.abort() }, stop.signal);
  assert.equal(stopped.isInterrupted, true);
  assert.ok(stopped.rows > 0 && stopped.rows < ids.length, `${stopped.rows} rows`);
  database.requests.length = 0;
  const rest = await scene.reconcile();
  assert.ok(database.requests.every(({ scan, from }) => scan !== "new" || from > 0));
  assert.deepEqual(
    { ...rest, coveredSince: whole.coveredSince },
    { ...whole, coveredSince: whole.coveredSince },
  );
});

test("what happens while the database is read is not missing", async (t) => {
  const scene = new ReconcileScene(t);
  scene.happen(exitEvents.issued, issuedRow(scene, 2));
  const { database } = scene;
  const readRows = database.readRows.bind(database);
  database.readRows = async (request) => {
    if (request.scan === "new" && !database.rows.has(3)) {
      scene.happen(exitEvents.issued, issuedRow(scene, 3));
      await scene.flushed();
    }
    return readRows(request);
  };
  assert.deepEqual(classesOf(await scene.reconcile()), { both: 2 });
});

test("numbers may be far apart", async (t) => {
  const scene = new ReconcileScene(t);
  scene.happen(exitEvents.issued, issuedRow(scene, 2));
  scene.record(exitEvents.issued, issuedRow(scene, 100_000));
  scene.happen(exitEvents.issued, issuedRow(scene, 2 ** 31 - 1));
  let parts = 0;
  const report = await scene.reconcile({
    progress: () => {
      parts += 1;
    },
  });
  assert.deepEqual(classesOf(report), { both: 2, deleted: 1 });
  assert.equal(parts, 3);
});

test("a database that was restored is noticed, and compared only if somebody says so", async (t) => {
  const scene = new ReconcileScene(t);
  const { database } = scene;
  for (let id = 2; id <= 9; id += 1) scene.happen(exitEvents.issued, issuedRow(scene, id));
  await scene.reconcile();
  // A row that is deleted is no restore.
  database.delete(9);
  database.put(issuedRow(scene, 10));
  await scene.reconcile();
  database.delete(10);
  database.delete(8);
  await assert.rejects(scene.reconcile(), {
    code: "CERTWIRE_CA_DATABASE_RESTORED",
    message: "row 10, the newest of an earlier run, is not there, and there is no later one",
  });
  // The CA goes on, and gives the numbers again.
  for (const id of [8, 9, 10, 11]) {
    const later = { submitted: scene.begin + 5 * second, resolved: scene.begin + 6 * second };
    const certificate = ReconcileScene.certificate(100 + id);
    scene.happen(exitEvents.issued, issuedRow(scene, id, { ...later, certificate }));
  }
  await assert.rejects(scene.reconcile(), {
    code: "CERTWIRE_CA_DATABASE_RESTORED",
    message: "row 10, the newest of an earlier run, is another request now",
  });
  const report = await scene.reconcile({ acceptsRestored: true });
  assert.deepEqual([report.mode, classesOf(report)], ["full", { both: 10 }]);
  assert.equal((await scene.reconcile()).mode, "since");
});

test("what the journal has of another CA is not mixed with this one's, and a renewal is the same CA", async (t) => {
  const scene = new ReconcileScene(t);
  const { database } = scene;
  const ca = (name: string, der: Buffer) => ({
    SanitizedCAName: { string: name },
    RawCACertificate: { binary: der },
  });
  scene.happen(exitEvents.issued, issuedRow(scene, 2));
  // Another CA was on the machine, with the same numbers.
  scene.record(exitEvents.issued, issuedRow(scene, 3), ca("Fabrikam", fixture("ca-ecdsa")));
  scene.record(exitEvents.issued, issuedRow(scene, 4), ca("Contoso", fixture("ca-ecdsa")));
  database.put(issuedRow(scene, 3, { certificate: ReconcileScene.certificate(33) }));
  const before = await scene.reconcile();
  assert.deepEqual(classesOf(before), { both: 1, missing: 1 });
  assert.equal(before.otherCa, 2);

  // The certificate of that name is this CA's own new one.
  database.facts = { ...caFacts, certificates: [...caFacts.certificates, fixture("ca-ecdsa")] };
  database.put(issuedRow(scene, 4));
  const after = await scene.reconcile({ since: "full" });
  assert.deepEqual(classesOf(after), { both: 2, missing: 1 });
  assert.equal(after.otherCa, 1);

  // The exit module could not read the CA's name, or neither that nor its certificate.
  const der = { RawCACertificate: { binary: scene.caCertificate } };
  scene.happen(exitEvents.issued, issuedRow(scene, 5));
  scene.record(exitEvents.issued, issuedRow(scene, 6), der);
  scene.record(exitEvents.issued, issuedRow(scene, 7), {});
  database.put(issuedRow(scene, 6));
  database.put(issuedRow(scene, 7));
  const nameless = await scene.reconcile({ since: "full" });
  assert.deepEqual(classesOf(nameless), { both: 4, missing: 2 });

  database.facts = { ...caFacts, certificates: [fixture("ca-ecdsa")] };
  await assert.rejects(scene.reconcile(), { code: "CERTWIRE_CA_DATABASE_OTHER" });
  database.facts = { ...caFacts, sanitizedName: "Fabrikam", name: "Fabrikam" };
  await assert.rejects(scene.reconcile(), {
    code: "CERTWIRE_CA_DATABASE_OTHER",
    message: 'the CA is "Fabrikam", and "Contoso" was compared before',
  });
});

test("an account that may not read the database gets an error before the journal is read", async (t) => {
  const scene = new ReconcileScene(t);
  scene.happen(exitEvents.issued, issuedRow(scene, 2));
  scene.database.facts = { ...caFacts, roles: 0x200 };
  await assert.rejects(
    scene.reconcile({ journalProgress: () => assert.fail("the journal was read") }),
    {
      code: "CERTWIRE_CA_DATABASE_REFUSED",
      hint: /"NT SERVICE\\Certwire".* allow Read, and clear Request Certificates/,
    },
  );
  assert.ok(!existsSync(scene.paths.head));
});

test("a run whose state is damaged says which file to delete", async (t) => {
  const scene = new ReconcileScene(t);
  scene.happen(exitEvents.issued, issuedRow(scene, 2));
  await scene.reconcile();
  for (const path of [scene.paths.run, scene.paths.head]) {
    const whole = readFileSync(path);
    writeFileSync(path, whole.subarray(0, whole.length / 2));
    await assert.rejects(scene.reconcile(), (error: Error) => {
      assert.match(
        error.message,
        new RegExp(`cannot read .*${join("reconcile", "").slice(0, -1)}`),
      );
      return true;
    });
    writeFileSync(path, whole);
  }
  assert.equal((await scene.reconcile()).mode, "since");

  // What a stopped run had found is damaged, or somebody has deleted it.
  const running = { ...emptyRun(0), after: 2, findings: 1 };
  const run = await RunFile.open(scene.paths.run);
  await run.save({ running: { ...running, findingsBytes: 4 } });
  writeFileSync(scene.paths.findings, "{}}\n");
  await assert.rejects(scene.reconcile(), {
    code: "CERTWIRE_CHECKPOINT_FAILED",
    hint: /delete it/,
  });
  rmSync(scene.paths.findings);
  const anew = await scene.reconcile();
  assert.deepEqual([anew.mode, anew.rows, anew.findings], ["full", 1, []]);
});

test("requests that are to be compared again are, and only what the journal can still know is a result", async (t) => {
  const scene = new ReconcileScene(t);
  const { begin, database } = scene;
  scene.happen(exitEvents.issued, issuedRow(scene, 2));
  database.put(issuedRow(scene, 3));
  database.put(issuedRow(scene, 4, { submitted: begin - day, resolved: begin - day }));
  database.put(issuedRow(scene, 5, { resolved: database.now() - second }));
  scene.record(exitEvents.issued, issuedRow(scene, 6));
  const about: (number | string)[] = [];
  const compared = (each: number | string) => void about.push(each);
  // 99 and 40,000 are in neither of them, and differ no more.
  const again = [3, 4, 5, 6, 99, 40_000];
  await scene.reconcile({ since: "full", compared, again });
  assert.deepEqual(about, [2, 3, 6, 99, 40_000]);
  about.length = 0;
  // Nothing has changed since.
  const since = database.now() + day;
  const report = await scene.reconcile({ since, compared, again });
  assert.deepEqual(about, [3, 6, 99, 40_000]);
  assert.deepEqual(
    findingsOf(report).map((each) => (each as unknown[]).slice(0, 2)),
    [
      [3, "missing"],
      [6, "deleted"],
    ],
  );
});
