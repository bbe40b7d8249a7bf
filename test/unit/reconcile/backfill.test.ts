import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import pino from "pino";
import { EventFilter } from "../../../src/events/event-filter.ts";
import { kindOf } from "../../../src/events/event-kind.ts";
import { rowEvents } from "../../../src/events/row-events.ts";
import { shrinkEvent } from "../../../src/events/shrink-event.ts";
import { dispositions, exitEvents } from "../../../src/exit/ca-codes.ts";
import { PipelineMonitor } from "../../../src/pipeline/monitor.ts";
import {
  type BackfillOptions,
  type BackfillPlan,
  planBackfill,
} from "../../../src/reconcile/backfill.ts";
import { LiveBacklog } from "../../../src/reconcile/live-backlog.ts";
import { Pace } from "../../../src/reconcile/pace.ts";
import { type Backfilled, runBackfill } from "../../../src/reconcile/run-backfill.ts";
import { CheckpointStore } from "../../../src/state/checkpoint-store.ts";
import { DeadLetterFile } from "../../../src/state/dead-letter.ts";
import { BackfillSink } from "../../support/backfill-sink.ts";
import type { CaRow } from "../../support/fake-ca-database.ts";
import { ReconcileScene } from "../../support/reconcile-scene.ts";
import { readAll } from "../../support/small-journal.ts";

const second = 1000;
const day = 86_400_000;
const { issued, revoked, pending } = dispositions;

const limits = {
  maxInFlightEvents: 100,
  maxInFlightBytes: 16 * 2 ** 20,
  retryInitialMs: 1,
  retryMaxMs: 5,
  deadLetterAfterSeconds: 3600,
  maxDeadLetterMegabytes: 1024,
};

function issuedRow({ begin }: ReconcileScene, id: number, changes: Partial<CaRow> = {}): CaRow {
  const certificate = ReconcileScene.certificate(id);
  const dates = { submitted: begin, resolved: begin + second };
  return { id, disposition: issued, ...dates, certificate, ...changes };
}

async function run(
  scene: ReconcileScene,
  sink: BackfillSink,
  changes: Partial<BackfillOptions> = {},
  signal = new AbortController().signal,
): Promise<Backfilled> {
  const options = { ...(await scene.backfillOptions("memory", changes.selection)), ...changes };
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

async function plan(scene: ReconcileScene, fromRequest = 1): Promise<BackfillPlan> {
  const options = await scene.backfillOptions("memory", { fromRequest });
  const { signal } = new AbortController();
  return planBackfill(options, fromRequest - 1, () => undefined, signal);
}

/** The ids of the events that some rows stand for, as the database shows them now. */
async function idsOf(scene: ReconcileScene, ...ids: number[]): Promise<string[]> {
  const found: string[] = [];
  for await (const row of scene.caDatabase().rows(ids, new AbortController().signal)) {
    found.push(...rowEvents(row, {}).map((event) => `${kindOf(event)} ${event.id}`));
  }
  return found;
}

function withoutKinds(ids: readonly string[]): string[] {
  return ids.map((id) => id.split(" ")[1] ?? "").toSorted();
}

test("what the journal lacks is published, each event once, and a second run publishes nothing", async (t) => {
  const scene = new ReconcileScene(t);
  const { begin, database } = scene;
  const old = { submitted: begin - day, resolved: begin - day };
  const late = { revoked: begin + second, reason: 1 };
  for (let id = 2; id <= 20; id += 1) scene.happen(exitEvents.issued, issuedRow(scene, id));
  // The revocation is missing, the certificate is not.
  database.put(issuedRow(scene, 5, { disposition: revoked, ...late }));
  // From before the journal, both steps.
  database.put(
    issuedRow(scene, 30, { disposition: revoked, ...old, revoked: begin - day, reason: 4 }),
  );
  database.put({ id: 31, disposition: pending, submitted: begin });
  for (let id = 40; id <= 90; id += 1) database.put(issuedRow(scene, id));
  // Contradictory, and too young.
  database.put(issuedRow(scene, 7, { certificate: ReconcileScene.certificate(700) }));
  database.put({ id: 91, disposition: dispositions.active, submitted: begin });

  assert.deepEqual(await plan(scene), {
    requests: 54,
    crls: 0,
    events: 55,
    kinds: { "certificate.issued": 52, "certificate.revoked": 2, "request.pending": 1 },
    history: 2,
  });
  const sink = new BackfillSink();
  const done = await run(scene, sink);
  assert.deepEqual(done, { events: 55, deadLetters: 0 });
  const [, revocation = ""] = await idsOf(scene, 5);
  const whole = Array.from({ length: 51 }, (_, index) => 40 + index);
  const expected = [revocation, ...(await idsOf(scene, 30, 31, ...whole))];
  assert.deepEqual(sink.ids.toSorted(), withoutKinds(expected));
  // The steps of one request keep their order.
  const [first = "", then = ""] = (await idsOf(scene, 30)).map((id) => id.split(" ")[1] ?? "");
  assert.ok(sink.ids.indexOf(first) < sink.ids.indexOf(then));

  assert.equal((await plan(scene)).events, 0);
  assert.deepEqual(await run(scene, sink), { events: 0, deadLetters: 0 });
  assert.equal(sink.ids.length, 55);
  assert.ok(
    !existsSync(scene.paths.backfill("memory")),
    "no place is left of a run that has ended",
  );
  const { counts } = await scene.reconcile({ since: "full" });
  assert.equal(counts.backfilled, 54);
  assert.equal(counts.missing + counts.state + counts.history, 0);

  // Another sink has none of it, and a step that is new is published.
  database.put(issuedRow(scene, 60, { disposition: revoked, ...late }));
  assert.deepEqual(await run(scene, sink), { events: 1, deadLetters: 0 });
});

test("nothing is published of an empty database, nor of one that has the CA's own rows only", async (t) => {
  const scene = new ReconcileScene(t);
  const sink = new BackfillSink();
  assert.deepEqual(await run(scene, sink), { events: 0, deadLetters: 0 });
  assert.deepEqual((await scene.reconcile()).counts.own, 0);
  const { caCertificate, caCertificateChain, kraCertificate } = dispositions;
  for (const [id, disposition] of [caCertificate, caCertificateChain, kraCertificate].entries()) {
    scene.database.put(issuedRow(scene, id + 1, { disposition }));
  }
  assert.deepEqual(await run(scene, sink), { events: 0, deadLetters: 0 });
  const { counts, rows } = await scene.reconcile({ since: "full" });
  assert.deepEqual([rows, counts.own], [3, 3]);
});

test("a run that was stopped anywhere goes on there, and no event comes twice or is left out", async (t) => {
  const scene = new ReconcileScene(t);
  const ids = Array.from({ length: 300 }, (_, index) => 1 + index * 200);
  for (const id of ids) scene.database.put(issuedRow(scene, id));
  const sink = new BackfillSink();
  let runs = 0;
  for (;;) {
    const stop = new AbortController();
    const before = sink.ids.length;
    sink.afterBatch = () => {
      if (sink.ids.length - before >= 40) stop.abort();
    };
    const { events } = await run(scene, sink, {}, stop.signal);
    runs += 1;
    if (!stop.signal.aborted) break;
    assert.ok(events >= 40, `${events} events`);
  }
  assert.ok(runs > 2, `${runs} runs`);
  assert.deepEqual(sink.ids.toSorted(), withoutKinds(await idsOf(scene, ...ids)));
});

test("a run that goes on does not read again what is done, unless it looks for something else", async (t) => {
  const scene = new ReconcileScene(t);
  const ids = Array.from({ length: 300 }, (_, index) => 1 + index * 200);
  for (const id of ids) scene.database.put(issuedRow(scene, id));
  const sink = new BackfillSink();
  const stop = new AbortController();
  sink.afterBatch = () => {
    if (sink.ids.length >= 200) stop.abort();
  };
  await run(scene, sink, {}, stop.signal);
  sink.afterBatch = () => undefined;
  const firstScan = async (selection?: { fromRequest: number }) => {
    scene.database.requests.length = 0;
    await run(scene, sink, selection && { selection });
    return scene.database.requests.find(({ scan }) => scan === "new")?.from;
  };
  const from = await firstScan();
  assert.ok(from !== undefined && from >= 16_383, `from ${from}`);
  assert.equal(await firstScan({ fromRequest: 101 }), 100);
});

test("an event that the sink refuses is a dead letter, and the next run tries it again", async (t) => {
  const scene = new ReconcileScene(t);
  for (let id = 2; id <= 12; id += 1) scene.database.put(issuedRow(scene, id));
  const [bad = ""] = (await idsOf(scene, 6)).map((id) => id.split(" ")[1] ?? "");
  const sink = new BackfillSink();
  sink.refused.add(bad);
  assert.deepEqual(await run(scene, sink), { events: 10, deadLetters: 1 });
  sink.refused.clear();
  assert.deepEqual(await run(scene, sink), { events: 1, deadLetters: 0 });
  assert.equal(sink.ids.at(-1), bad);
});

test("only what the sink wants is published, of the requests and the time that are chosen", async (t) => {
  const scene = new ReconcileScene(t);
  const { begin, database } = scene;
  for (let id = 2; id <= 12; id += 1) {
    database.put(issuedRow(scene, id, { resolved: begin + id * second }));
  }
  database.put({ id: 13, disposition: pending, submitted: begin });
  const sink = new BackfillSink();
  const filter = new EventFilter({ only: [{ kind: ["request.pending"] }] });
  assert.equal((await run(scene, sink, { filter })).events, 1);
  const selection = { fromRequest: 5, untilMs: begin + 8 * second };
  assert.equal((await run(scene, sink, { selection })).events, 3);
  assert.deepEqual(sink.ids.slice(1).toSorted(), withoutKinds(await idsOf(scene, 5, 6, 7)));
});

test("a row that changes between its scan and its reading waits until the journal was read after that", async (t) => {
  const scene = new ReconcileScene(t);
  const { database } = scene;
  for (let id = 2; id <= 9; id += 1) database.put(issuedRow(scene, id));
  const options = await scene.backfillOptions("memory");
  const rows = options.database.rows.bind(options.database);
  options.database.rows = (ids, signal) => {
    // One was revoked and recorded, one is gone; the rows are read at leisure.
    const at = Math.ceil(database.now() / second) * second;
    const late = { disposition: revoked, revoked: at + second, reason: 1 };
    scene.happen(exitEvents.revoked, issuedRow(scene, 4, late));
    database.delete(5);
    database.now = () => at + 3_600_000;
    return rows(ids, signal);
  };
  const sink = new BackfillSink();
  const settleMs = 60_000;
  assert.equal((await run(scene, sink, { ...options, settleMs })).events, 6);
  const others = [2, 3, 6, 7, 8, 9];
  assert.deepEqual(sink.ids.toSorted(), withoutKinds(await idsOf(scene, ...others)));
  // The revocation is in the journal, and its certificate is not.
  assert.equal((await run(scene, sink, { settleMs })).events, 1);
  const [issue] = await idsOf(scene, 4);
  assert.deepEqual(sink.ids.slice(-1), withoutKinds([issue ?? ""]));
});

test("a database that only backfills have seen is known as well", async (t) => {
  const scene = new ReconcileScene(t);
  for (const id of [2, 3]) scene.database.put(issuedRow(scene, id));
  const sink = new BackfillSink();
  await run(scene, sink);
  scene.database.delete(3);
  await assert.rejects(run(scene, sink), { code: "CERTWIRE_CA_DATABASE_RESTORED" });
});

test("a run that is killed at its end does not pass over what has come meanwhile", async (t) => {
  const scene = new ReconcileScene(t);
  const sink = new BackfillSink();
  for (const id of [2, 3]) scene.database.put(issuedRow(scene, id));
  const options = await scene.backfillOptions("memory");
  const { place } = options;
  const remove = place.remove.bind(place);
  place.remove = () => Promise.reject(new Error("killed"));
  await assert.rejects(run(scene, sink, options), /killed/);
  scene.database.put(issuedRow(scene, 4));
  assert.equal((await run(scene, sink)).events, 1);
  await remove();
});

test("a place that no database can have is not believed", async (t) => {
  const scene = new ReconcileScene(t);
  scene.database.put(issuedRow(scene, 2));
  const { place } = await scene.backfillOptions("memory");
  await place.save(1);
  const path = scene.paths.backfill("memory");
  const text = readFileSync(path, "utf8");
  for (const after of [2 ** 31, 2 ** 53, -1, 0.5]) {
    writeFileSync(path, text.replace('"after":1', `"after":${after}`));
    assert.equal(await place.read(), 0, String(after));
  }
});

test("live events go first, and the rate is kept", async () => {
  let [now, behind] = [0, 2];
  const slept: number[] = [];
  const waiting: boolean[] = [];
  const pace = new Pace({
    perSecond: 100,
    isLiveBehind: async () => (behind -= 1) >= 0,
    waiting: (isWaiting) => waiting.push(isWaiting),
    sleep: async (ms) => {
      slept.push(ms);
      now += ms;
    },
    now: () => now,
  });
  const { signal } = new AbortController();
  await pace.turn(signal);
  assert.deepEqual(slept, [500, 500]);
  assert.deepEqual(waiting, [true, false]);
  pace.sent(64);
  await pace.turn(signal);
  assert.deepEqual(slept, [500, 500, 640]);
  pace.sent(10);
  now += 1000; // what is not used is not saved up
  await pace.turn(signal);
  pace.sent(100);
  await pace.turn(signal);
  assert.deepEqual(slept, [500, 500, 640, 1000]);
});

test("a sink is behind as long as an event after its checkpoint waits longer than usual", async (t) => {
  const scene = new ReconcileScene(t);
  const path = join(scene.state, "checkpoints", "memory");
  const later = new LiveBacklog(scene.journal, path, () => Date.now() + 60_000);
  scene.record(exitEvents.issued, issuedRow(scene, 2));
  await scene.flushed();
  assert.equal(await later.isBehind(), true);
  // What is new waits for a moment on the busiest CA: that must not stop a backfill for ever.
  const atOnce = new LiveBacklog(scene.journal, path, () => scene.begin - 5 * second);
  assert.equal(await atOnce.isBehind(), false);
  const store = await CheckpointStore.open(path);
  const catchUp = async () => {
    const last = (await readAll(scene.journal)).at(-1);
    assert.ok(last);
    await store.save(last.position);
  };
  await catchUp();
  assert.equal(await later.isBehind(), false);
  scene.record(exitEvents.issued, issuedRow(scene, 3));
  await scene.flushed();
  assert.equal(await later.isBehind(), true);
  await catchUp();
  assert.equal(await later.isBehind(), false);
  await store.close();
  assert.equal(await new LiveBacklog(scene.state, path).isBehind(), false);
});

test("a comparison that was stopped before a backfill begins anew", async (t) => {
  const scene = new ReconcileScene(t);
  scene.database.put(issuedRow(scene, 2));
  const stop = new AbortController();
  const options = { since: "full", progress: () => stop.abort() } as const;
  const { counts } = await scene.reconcile(options, stop.signal);
  assert.equal(counts.missing, 1);
  const { events } = await run(scene, new BackfillSink());
  assert.equal(events, 1);
  const after = await scene.reconcile();
  assert.deepEqual([after.counts.missing, after.counts.backfilled, after.findings], [0, 1, []]);
});
