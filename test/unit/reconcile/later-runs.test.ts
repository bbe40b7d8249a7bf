import assert from "node:assert/strict";
import { test } from "node:test";
import { CaDatabase } from "../../../src/ca-database/ca-database.ts";
import { rowFacts } from "../../../src/events/row-events.ts";
import { dispositions, exitEvents } from "../../../src/exit/ca-codes.ts";
import { ContentIndex } from "../../../src/reconcile/content-index.ts";
import { JournalContents } from "../../../src/reconcile/journal-contents.ts";
import { classesOf, findingsOf, issuedRow } from "../../support/reconcile-report.ts";
import { ReconcileScene } from "../../support/reconcile-scene.ts";

const { pending, revoked } = dispositions;
const second = 1000;
const day = 86_400_000;

test("a run since a time of one's own leaves the rest to the next one", async (t) => {
  const scene = new ReconcileScene(t);
  const { database, begin } = scene;
  database.put(issuedRow(scene, 2));
  const now = () => begin + 40 * day;
  database.now = now;
  const first = await scene.reconcile({ since: begin + 39 * day, now });
  assert.deepEqual(classesOf(first), {});
  const next = await scene.reconcile({ now });
  assert.deepEqual([next.mode, classesOf(next)], ["full", { missing: 1 }]);

  // Once more, after a complete run, and while one over every row is interrupted.
  const lost = { submitted: now() + day, resolved: now() + day };
  database.put(issuedRow(scene, 20_000, lost));
  const later = () => now() + 40 * day;
  database.now = later;
  const stop = new AbortController();
  const stopped = await scene.reconcile(
    { since: "full", now: later, progress: () => stop.abort() },
    stop.signal,
  );
  assert.deepEqual([stopped.isInterrupted, stopped.rows], [true, 1]);
  await scene.reconcile({ since: later() - day, now: later });
  const rest = await scene.reconcile({ now: later });
  assert.deepEqual([rest.mode, classesOf(rest)], ["full", { missing: 2 }]);
  const since = await scene.reconcile({ now: later });
  assert.equal(since.mode, "since");
  // One that reaches back further than the last complete run is complete.
  const last = () => later() + 10 * day;
  await scene.reconcile({ since: begin, now: last });
  const after = await scene.reconcile({ now: last });
  assert.equal(after.since, new Date(Math.min(last(), later()) - 3_600_000).toISOString());
});

test("after a run by a clock that was ahead every row is compared, and then what has changed", async (t) => {
  const scene = new ReconcileScene(t);
  const { database, begin } = scene;
  const [right, ahead] = [() => begin + 2 * day, () => begin + 365 * day];
  const modeAt = async (now: () => number) => {
    database.now = now;
    return (await scene.reconcile({ now })).mode;
  };
  const modes = [await modeAt(ahead), await modeAt(right), await modeAt(right)];
  assert.deepEqual(modes, ["full", "full", "since"]);
});

test("requests that only the journal has are read together, with the pauses that the CA needs", async (t) => {
  const scene = new ReconcileScene(t);
  for (let id = 2; id <= 201; id += 1) scene.record(exitEvents.issued, issuedRow(scene, id));
  scene.happen(exitEvents.issued, issuedRow(scene, 500));
  const slept: number[] = [];
  const sleep = async (ms: number) => void slept.push(ms);
  const database = new CaDatabase(scene.database, { config: "CA01\\Contoso", sleep });
  const report = await scene.reconcile({ database, since: scene.begin - day });
  assert.deepEqual(classesOf(report), { both: 1, deleted: 200 });
  const views = scene.database.requests.length;
  assert.ok(views < 10, `${views} views`);
  assert.ok(slept.length >= views - 1, `${slept.length} pauses`);
});

test("what happens to a request while its row waits for the hours of the database is not taken for a difference", async (t) => {
  const scene = new ReconcileScene(t);
  const { database, begin } = scene;
  const hour = 3_600_000;
  scene.happen(exitEvents.issued, issuedRow(scene, 2));
  let now = begin + day;
  database.now = () => now;
  const readRows = database.readRows.bind(database);
  database.readRows = async (request) => {
    if (request.scan === "new" && now < begin + 2 * day) {
      const hold = { disposition: revoked, revoked: now + hour, reason: 6 };
      scene.happen(exitEvents.revoked, issuedRow(scene, 2, hold));
      await scene.flushed();
      now += day;
    }
    return readRows(request);
  };
  const about: (number | string)[] = [];
  const report = await scene.reconcile({
    since: begin + hour,
    again: [2],
    compared: (each) => void about.push(each),
    now: () => now,
  });
  assert.deepEqual([report.mode, classesOf(report), about], ["since", { both: 1 }, [2]]);
});

test("a row that was read long before the journal lacks nothing that was recorded since", async (t) => {
  const scene = new ReconcileScene(t);
  const { database, begin } = scene;
  const submitted = begin - 3 * day;
  scene.happen(exitEvents.pending, { id: 2, disposition: pending, submitted });
  // The first page is read two days before the next one, after which the journal is read.
  let now = begin - 2 * day;
  database.now = () => now;
  for (let id = 3; id <= 600; id += 1) {
    database.put({ id, disposition: dispositions.caCertificate, submitted });
  }
  const readRows = database.readRows.bind(database);
  database.readRows = async (request) => {
    const page = await readRows(request);
    if (request.scan === "new" && now < begin) {
      scene.happen(exitEvents.issued, issuedRow(scene, 2, { submitted }));
      await scene.flushed();
      now = begin + day;
    }
    return page;
  };
  const report = await scene.reconcile({ since: "full", now: () => now });
  assert.deepEqual([classesOf(report), findingsOf(report)], [{ both: 1, own: 598 }, []]);
});

test("an open finding of a template that is not stored is compared while its row is there", async (t) => {
  const scene = new ReconcileScene(t);
  const { begin, database } = scene;
  const flags = { generalFlags: 0x1000 };
  for (const id of [2, 3]) scene.happen(exitEvents.issued, issuedRow(scene, id, flags));
  scene.happen(exitEvents.issued, issuedRow(scene, 9));
  // The revocation of 2 was never recorded.
  const at = { disposition: revoked, revoked: begin + 60 * second, reason: 1 };
  database.put(issuedRow(scene, 2, { ...flags, ...at }));
  const about: (number | string)[] = [];
  const compared = (each: number | string) => void about.push(each);
  const later = await scene.reconcile({ since: database.now() - second, again: [2], compared });
  assert.deepEqual([classesOf(later), about], [{ state: 1 }, [2]]);
  // What the journal has recorded since is not asked for, and so has no result.
  about.length = 0;
  database.delete(3);
  const recent = await scene.reconcile({ since: begin - day, again: [], compared });
  assert.deepEqual([classesOf(recent), about], [{ both: 1, state: 1, unstored: 1 }, [2, 9]]);
  // Once the row is gone there is nothing to find.
  about.length = 0;
  database.delete(2);
  const gone = await scene.reconcile({ since: database.now() - second, again: [2], compared });
  assert.deepEqual([classesOf(gone), about], [{ unstored: 1 }, [2]]);
});

test("the journal is read while the database waits for hours, and a failure of that does not end it", async (t) => {
  const scene = new ReconcileScene(t);
  const hour = 3_600_000;
  scene.happen(exitEvents.issued, issuedRow(scene, 2));
  let now = new Date(2026, 2, 2, 20).getTime();
  const contents = await JournalContents.open(scene.paths, () => scene.database.now());
  const update = contents.update.bind(contents);
  let [readings, failures] = [0, 0];
  t.mock.method(contents, "update", async (...args: Parameters<typeof update>) => {
    readings += 1;
    if (now === begin + hour && failures === 0) {
      failures += 1;
      throw new Error("held by another process");
    }
    await update(...args);
  });
  const begin = now;
  const seen: [number, number][] = [];
  const database = new CaDatabase(scene.database, {
    config: "CA01\\Contoso",
    load: { hours: { from: 22 * 60, to: 6 * 60 } },
    now: () => new Date(now),
    sleep: async (ms) => {
      now += ms;
      seen.push([now - begin, readings]);
    },
  });
  const report = await scene.reconcile({ database, contents, since: "full" });
  assert.deepEqual(classesOf(report), { both: 1 });
  assert.equal(failures, 1);
  const at = (ms: number) => seen.findLast(([after]) => after <= ms)?.[1];
  assert.deepEqual([at(hour), at(2 * hour)], [0, 1], JSON.stringify(seen.slice(-3)));
});

test("a certificate that a backfill published hides no other one in the same row", async (t) => {
  const scene = new ReconcileScene(t);
  const { database, begin } = scene;
  database.put(issuedRow(scene, 2));
  database.put(issuedRow(scene, 9));
  const index = new ContentIndex(scene.paths.published("memory"));
  for await (const row of scene.caDatabase().rows([2, 9], new AbortController().signal)) {
    const [fact] = rowFacts(row);
    const { contentId } = fact ?? {};
    const timeSeconds = begin / second;
    const kind = "certificate.issued";
    index.add({ requestId: row.context, kind, contentId, timeSeconds, ca: 0, isUnstored: false });
  }
  await index.write();
  assert.deepEqual(classesOf(await scene.reconcile()), { backfilled: 2 });
  database.put(issuedRow(scene, 2, { certificate: ReconcileScene.certificate(77) }));
  const report = await scene.reconcile({ since: "full" });
  assert.deepEqual(findingsOf(report), [
    [2, "changed", [], "database and an earlier backfill have different certificates"],
  ]);
  // A revocation that was published, and that the database does not have any more.
  const revocation = {
    requestId: 9,
    kind: "certificate.revoked",
    contentId: "x".repeat(22),
  } as const;
  index.add({ ...revocation, timeSeconds: begin / second + 60, ca: 0, isUnstored: false });
  await index.write();
  const [, restored] = findingsOf(await scene.reconcile({ since: "full" }));
  assert.deepEqual(restored, [
    9,
    "state",
    [],
    "the journal goes on with certificate.revoked, and the database does not",
  ]);
});

test("a run over every row of a restored database that was stopped goes on with every row", async (t) => {
  const scene = new ReconcileScene(t);
  scene.happen(exitEvents.issued, issuedRow(scene, 2));
  await scene.reconcile();
  const stop = new AbortController();
  const readRows = scene.database.readRows.bind(scene.database);
  scene.database.readRows = async (request) => {
    if (request.scan === "new") stop.abort();
    return readRows(request);
  };
  const stopped = await scene.reconcile({ acceptsRestored: true }, stop.signal);
  assert.equal(stopped.isInterrupted, true);
  scene.database.readRows = readRows;
  assert.equal((await scene.reconcile()).mode, "full");
});

test("a request that comes between the view that did not have it and the reading of the journal is not taken for deleted", async (t) => {
  const scene = new ReconcileScene(t);
  const { database, begin } = scene;
  scene.happen(exitEvents.issued, issuedRow(scene, 2));
  let nowMs = Date.now();
  const now = () => nowMs;
  database.now = now;
  const late = { ...issuedRow(scene, 3), disposition: pending, submitted: nowMs };
  const readRows = database.readRows.bind(database);
  let isFirst = true;
  database.readRows = async (request) => {
    const page = await readRows(request);
    if (request.scan !== "new" || !isFirst) return page;
    isFirst = false;
    scene.happen(exitEvents.pending, late);
    await scene.flushed();
    // What follows waits for the hours of the database.
    nowMs += day;
    return page;
  };
  const report = await scene.reconcile({ since: begin + second, again: [2, 3, 9000], now });
  assert.equal(classesOf(report)["deleted"], undefined);
});

test("a request that comes after the last view of every row is not taken for deleted, however late the journal is read", async (t) => {
  const scene = new ReconcileScene(t);
  const { database, begin } = scene;
  database.put({ id: 2, disposition: dispositions.caCertificate, submitted: begin - day });
  let nowMs = Date.now();
  const now = () => nowMs;
  database.now = now;
  const readRows = database.readRows.bind(database);
  database.readRows = async (request) => {
    const page = await readRows(request);
    if (request.scan !== "new") return page;
    scene.happen(exitEvents.pending, { ...issuedRow(scene, 3), disposition: pending });
    await scene.flushed();
    nowMs += day;
    return page;
  };
  const report = await scene.reconcile({ since: "full", now });
  assert.deepEqual(classesOf(report), { own: 1, unsettled: 1 });
});
