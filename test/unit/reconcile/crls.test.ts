import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import pino from "pino";
import { crlRowFact } from "../../../src/events/crl-row-event.ts";
import { shrinkEvent } from "../../../src/events/shrink-event.ts";
import { dispositions, exitEvents } from "../../../src/exit/ca-codes.ts";
import { PipelineMonitor } from "../../../src/pipeline/monitor.ts";
import { type BackfillOptions, planBackfill } from "../../../src/reconcile/backfill.ts";
import type { BackfillSelection } from "../../../src/reconcile/backfill-place.ts";
import { ContentIndex, crlRequestId } from "../../../src/reconcile/content-index.ts";
import { crlSubjectId } from "../../../src/reconcile/crl-entry-id.ts";
import { JournalContents } from "../../../src/reconcile/journal-contents.ts";
import type { ReconcileReport } from "../../../src/reconcile/reconcile.ts";
import { type Backfilled, runBackfill } from "../../../src/reconcile/run-backfill.ts";
import { DeadLetterFile } from "../../../src/state/dead-letter.ts";
import { BackfillSink } from "../../support/backfill-sink.ts";
import { crl, crlRow as row } from "../../support/crl-rows.ts";
import { fixture } from "../../support/exit-records.ts";
import { ReconcileScene } from "../../support/reconcile-scene.ts";

const day = 86_400_000;
const settleMs = 600_000;
const { signal } = new AbortController();
const limits = {
  maxInFlightEvents: 100,
  maxInFlightBytes: 16 * 2 ** 20,
  retryInitialMs: 1,
  retryMaxMs: 5,
  deadLetterAfterSeconds: 3600,
  maxDeadLetterMegabytes: 1024,
};

function classesOf({ crls }: ReconcileReport): Record<string, number> {
  return Object.fromEntries(Object.entries(crls).filter(([, count]) => count > 0));
}

async function run(
  scene: ReconcileScene,
  sink: BackfillSink,
  options: BackfillOptions,
): Promise<Backfilled> {
  const path = join(scene.state, "dead-letters", "backfill-memory.ndjson");
  const target = {
    sink,
    limits,
    shrink: shrinkEvent,
    deadLetters: new DeadLetterFile(path, { fileBytes: 2 ** 20, maxBytes: 2 ** 20 }),
    monitor: new PipelineMonitor(pino({ level: "silent" })),
  };
  return runBackfill(options, target, signal);
}

async function plan(scene: ReconcileScene, selection: Partial<BackfillSelection> = {}) {
  const options = { ...(await scene.backfillOptions("memory", selection)), settleMs };
  const { crls, kinds } = await planBackfill(options, 0, () => undefined, signal);
  assert.equal(kinds["crl.issued"] ?? 0, crls);
  return crls;
}

/** One CRL of each class, and a request. */
function mess(scene: ReconcileScene): void {
  const { begin, database } = scene;
  scene.happen(exitEvents.issued, {
    id: 2,
    disposition: dispositions.issued,
    submitted: begin,
    resolved: begin,
    certificate: ReconcileScene.certificate(2),
  });
  scene.recordCrls({ base: crl("base", 1) });
  scene.recordCrls({ delta: crl("delta", 1) });
  // The CA has deleted the row of this one.
  scene.recordCrls({ base: crl("base", 9) });
  database.crls = [
    row(1, crl("base", 0), begin - day),
    row(2, crl("base", 1), begin),
    row(3, crl("delta", 1), begin, { kind: "delta" }),
    row(4, crl("base", 3), begin),
    row(5, crl("base", 4), begin, { partition: 1 }),
    // Published just now.
    row(6, crl("base", 5), database.now() - 1000),
    { id: 7 },
  ];
  database.partitions = { count: 2, certificates: [0] };
  database.partitioned = [
    { index: 0, kind: "base", partition: 1, der: crl("base", 4) },
    { index: 0, kind: "base", partition: 2, der: crl("base", 6) },
  ];
}

test("each kind of difference between the CRLs of journal and database is found", async (t) => {
  const scene = new ReconcileScene(t);
  mess(scene);
  const report = await scene.reconcile();
  assert.deepEqual(classesOf(report), {
    both: 2,
    missing: 1,
    partition: 2,
    history: 1,
    unsettled: 1,
    deleted: 1,
  });
  assert.equal(report.counts.both, 1, "a CRL is not taken for a request");
  assert.equal(report.counts.deleted, 0);
  const [finding, ...others] = report.findings;
  assert.deepEqual(others, []);
  assert.deepEqual(finding, {
    class: "missing",
    crl: "crl/0/base/4112",
    missing: ["crl.issued"],
    time: new Date(scene.begin).toISOString(),
  });
  // A run over what has changed compares the CRLs too.
  const again = await scene.reconcile();
  assert.equal(again.mode, "since");
  assert.deepEqual(classesOf(again), classesOf(report));
});

test("the missing CRLs and those of the partitions are published, each once", async (t) => {
  const scene = new ReconcileScene(t);
  mess(scene);
  assert.equal(await plan(scene), 4);
  // Of the CRLs of a partition only what is current is known, and from when on it is valid.
  assert.equal(await plan(scene, { untilMs: scene.begin }), 2);
  const sink = new BackfillSink();
  const options = { ...(await scene.backfillOptions("memory")), settleMs };
  assert.deepEqual(await run(scene, sink, options), { events: 4, deadLetters: 0 });
  const missing = [crl("base", 0), crl("base", 3), crl("base", 4), crl("base", 6)];
  const ids: string[] = [];
  for await (const page of scene.caDatabase().crls(0, signal)) {
    for (const each of page) {
      const fact = crlRowFact(each);
      const [first] = each.record.crls;
      if (fact && missing.some((der) => first && der.equals(first.der as Buffer))) {
        ids.push(`db-${fact.contentId}`);
      }
    }
  }
  assert.equal(ids.length, 3);
  assert.deepEqual(sink.ids.slice(0, 3), ids);
  assert.equal(new Set(sink.ids).size, 4);
  assert.deepEqual(await run(scene, sink, await scene.backfillOptions("memory")), {
    // What was too young before: without a time to settle.
    events: 1,
    deadLetters: 0,
  });
  assert.deepEqual(await run(scene, sink, await scene.backfillOptions("memory")), {
    events: 0,
    deadLetters: 0,
  });
  assert.deepEqual(classesOf(await scene.reconcile()), { both: 2, backfilled: 5, deleted: 1 });
});

test("a CRL that is published while the database is read is not missing", async (t) => {
  const scene = new ReconcileScene(t);
  const { database } = scene;
  const readCrls = database.readCrls.bind(database);
  database.readCrls = async (request) => {
    if (database.crls.length === 0) {
      database.crls = [row(1, crl("base", 1), scene.begin)];
      scene.recordCrls({ base: crl("base", 1) });
      await scene.flushed();
    }
    return readCrls(request);
  };
  assert.deepEqual(classesOf(await scene.reconcile()), { both: 1 });
});

test("while a CRL of the database cannot be read, one that is not seen is not known to be gone", async (t) => {
  const scene = new ReconcileScene(t);
  const { database, begin } = scene;
  scene.recordCrls({ base: crl("base", 1) });
  const missing = row(2, crl("base", 2), begin);
  const compareAgain = async () => {
    const about: unknown[] = [];
    const compared = (subject: number | string) => void about.push(subject);
    await scene.reconcile({ againCrls: ["crl/0/base/4112"], compared });
    return about;
  };
  database.crls = [missing];
  assert.deepEqual(await compareAgain(), ["crl/0/base/4112"]);
  database.crls = [{ id: 2, failure: 0x8007_000e }];
  assert.deepEqual(await compareAgain(), []);
  // A row without a CRL has nothing to read.
  database.crls = [{ id: 2 }];
  assert.deepEqual(await compareAgain(), ["crl/0/base/4112"]);
});

test("a CRL with a date in the future is compared like any other", async (t) => {
  const scene = new ReconcileScene(t);
  const { database } = scene;
  scene.recordCrls({ base: crl("base", 1) });
  const later = database.now() + 365 * day;
  database.crls = [row(1, crl("base", 1), scene.begin), row(2, crl("base", 2), later)];
  assert.deepEqual(classesOf(await scene.reconcile({ settleMs })), { both: 1, missing: 1 });
  // Shortly after now it may be the clock of another machine.
  database.crls = [row(2, crl("base", 2), database.now() + settleMs / 2)];
  assert.deepEqual(classesOf(await scene.reconcile({ settleMs }))["unsettled"], 1);
});

test("thousands of CRLs are compared in a few views, and the journal is read once for each", async (t) => {
  const scene = new ReconcileScene(t);
  const rows = 5000;
  scene.recordCrls({ base: crl("base", 1) });
  scene.database.crls = Array.from({ length: rows }, (_, index) =>
    row(2 * index + 1, crl("base", index + 1), scene.begin),
  );
  scene.database.crlViewMs = 100;
  await scene.flushed();
  const contents = await JournalContents.open(scene.paths, () => scene.database.now());
  let updates = 0;
  const update = contents.update.bind(contents);
  contents.update = (...parameters) => {
    updates += 1;
    return update(...parameters);
  };
  const begun = performance.now();
  const report = await scene.reconcile({ contents });
  t.diagnostic(`${rows} CRLs in ${Math.round(performance.now() - begun)} ms`);
  assert.deepEqual(classesOf(report), { both: 1, missing: rows - 1 });
  assert.equal(report.findings.length + report.unlisted, rows - 1);
  const views = scene.database.crlRequests.length;
  assert.equal(views, 13);
  // Before, for the requests.
  assert.equal(updates, views + 2);
});

test("CRLs of another CA are left out, and one without a hash is found by its number", async (t) => {
  const scene = new ReconcileScene(t);
  const other = {
    SanitizedCAName: { string: "Fabrikam" },
    RawCACertificate: { binary: fixture("ca-ecdsa") },
  };
  scene.recordCrls({ base: crl("base", 1) }, other);
  scene.recordCrls({ base: crl("base", 2) });
  scene.database.crls = [row(1, crl("base", 1), scene.begin), row(2, crl("base", 2), scene.begin)];
  const first = await scene.reconcile();
  assert.deepEqual(classesOf(first), { both: 1, missing: 1 });
  assert.equal(first.otherCa, 1);

  const index = new ContentIndex(scene.paths.index);
  index.add({
    requestId: crlRequestId,
    kind: "crl.issued",
    contentId: crlSubjectId("crl/0/base/4112"),
    timeSeconds: scene.begin / 1000,
    ca: 1,
    isUnstored: false,
  });
  await index.write();
  assert.deepEqual(classesOf(await scene.reconcile()), { both: 2 });
});

test("a run that is stopped among the CRLs compares them all again", async (t) => {
  const scene = new ReconcileScene(t);
  mess(scene);
  const stop = new AbortController();
  const stopped = await scene.reconcile({ crlProgress: () => stop.abort() }, stop.signal);
  assert.equal(stopped.isInterrupted, true);
  const rest = await scene.reconcile();
  assert.equal(rest.mode, "full");
  assert.equal(rest.counts.both, 1);
  assert.deepEqual(classesOf(rest), {
    both: 2,
    missing: 1,
    partition: 2,
    history: 1,
    unsettled: 1,
    deleted: 1,
  });
  assert.equal(rest.findings.length, 1);
});
