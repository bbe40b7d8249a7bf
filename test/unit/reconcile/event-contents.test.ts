import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { CaDatabase } from "../../../src/ca-database/ca-database.ts";
import { type CrlRow, crlRowEvent } from "../../../src/events/crl-row-event.ts";
import type { CertwireEvent } from "../../../src/events/event.ts";
import { rowEvents } from "../../../src/events/row-events.ts";
import { dispositions, exitEvents } from "../../../src/exit/ca-codes.ts";
import {
  EventContents,
  type PlacedEvent,
  type ReadEvents,
} from "../../../src/reconcile/event-contents.ts";
import type { ReconcileReport } from "../../../src/reconcile/reconcile.ts";
import { RunFile } from "../../../src/reconcile/run-file.ts";
import { crl, crlRow } from "../../support/crl-rows.ts";
import { publishedEvents } from "../../support/evidence-journal.ts";
import type { CaRow } from "../../support/fake-ca-database.ts";
import { ReconcileScene } from "../../support/reconcile-scene.ts";

const { issued, pending } = dispositions;
const second = 1000;
const day = 86_400_000;
const { signal } = new AbortController();

function row({ begin }: ReconcileScene, id: number, changes: Partial<CaRow> = {}): CaRow {
  const certificate = ReconcileScene.certificate(id);
  const dates = { submitted: begin, resolved: begin + second };
  return { id, disposition: issued, ...dates, certificate, ...changes };
}

async function sceneWith(t: TestContext, count: number) {
  const scene = new ReconcileScene(t);
  for (let id = 2; id < 2 + count; id += 1) scene.happen(exitEvents.issued, row(scene, id));
  await scene.flushed();
  return { scene, events: await publishedEvents(scene.journal) };
}

/** Compares the database with events as if they were read from a topic. */
async function compare(
  scene: ReconcileScene,
  events: readonly PlacedEvent[],
  {
    truncated = [],
    knownUntilMs = scene.begin + day,
    isFull = true,
  }: { truncated?: string[]; knownUntilMs?: number; isFull?: boolean } = {},
): Promise<ReconcileReport> {
  const paths = scene.paths.place("topic");
  const read: ReadEvents = async (into) => {
    for (const event of events) into.add(event);
    return truncated;
  };
  const contents = await EventContents.open("topic", paths, read, () => knownUntilMs);
  const run = await RunFile.open(paths.run);
  const compared = { contents, journal: "topic", paths, run };
  return scene.reconcile({ ...compared, ...(isFull && { since: "full" as const }) });
}

function classesOf({ counts }: ReconcileReport): Record<string, number> {
  return present(counts);
}

function crlClassesOf({ crls }: ReconcileReport): Record<string, number> {
  return present(crls);
}

function present(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

const placed = (events: readonly CertwireEvent[]): PlacedEvent[] =>
  events.map((event) => ({ event }));

test("copies and replays change nothing, in whatever order they come", async (t) => {
  const { scene, events } = await sceneWith(t, 20);
  const replays = events.map((event) => ({ ...event, replayed: true as const }));
  const report = await compare(scene, placed([...replays.toReversed(), ...events, ...events]));
  assert.deepEqual(classesOf(report), { both: 20 });
  assert.equal(report.comparedWith, "topic");
});

test("a run reads its topic anew, and the journal's own comparison knows nothing of it", async (t) => {
  const { scene, events } = await sceneWith(t, 5);
  assert.deepEqual(classesOf(await compare(scene, placed(events))), { both: 5 });
  const fewer = events.filter(({ partitionkey }) => !/:[45]$/.test(partitionkey));
  assert.deepEqual(classesOf(await compare(scene, placed(fewer))), { both: 3, missing: 2 });
  const journal = await scene.reconcile();
  assert.deepEqual(
    [journal.mode, journal.comparedWith, journal.counts.both],
    ["full", "journal", 5],
  );
});

test("a later run compares what has changed since the topic was read", async (t) => {
  const { scene, events } = await sceneWith(t, 5);
  await compare(scene, placed(events), { knownUntilMs: scene.begin + day });
  const late = { submitted: scene.begin + day - 1800 * second };
  scene.database.put(row(scene, 40, { ...late, resolved: late.submitted }));
  const later = await compare(scene, placed(events), {
    knownUntilMs: scene.begin + 2 * day,
    isFull: false,
  });
  assert.equal(later.mode, "since");
  assert.equal(later.counts.missing, 1);
});

test("what has happened after the topic was read is not compared", async (t) => {
  const { scene, events } = await sceneWith(t, 5);
  scene.database.put(row(scene, 40, { submitted: scene.begin + day, resolved: scene.begin + day }));
  scene.database.crls = [crlRow(1, crl("base", 1), scene.begin + day)];
  // The database is read long after the topic.
  scene.database.now = () => scene.begin + 3 * day;
  const report = await compare(scene, placed(events), { knownUntilMs: scene.begin + day });
  assert.deepEqual(classesOf(report), { both: 5, unsettled: 1 });
  assert.deepEqual([report.crls.missing, report.crls.unsettled], [0, 1]);
});

test("where the oldest messages of a partition are deleted, what is older than the rest is history", async (t) => {
  const { scene, events } = await sceneWith(t, 4);
  const old = { submitted: scene.begin - day, resolved: scene.begin - day };
  scene.database.put(row(scene, 40, old));
  scene.database.put(row(scene, 41));
  const early = new Date(scene.begin - 2 * day).toISOString();
  const withEarly = events.map((event, index) =>
    index === 0 ? { ...event, recordedtime: early } : event,
  );
  // A replay says nothing about where the partition begins.
  const replay = { ...withEarly[0], replayed: true } as CertwireEvent;
  const whole = await compare(scene, placed(withEarly));
  assert.deepEqual(classesOf(whole), { both: 4, missing: 2 });
  const truncated = "topic/0";
  const rest = [replay, ...events].map((event) => ({ event, truncated }));
  const partly = await compare(scene, rest, { truncated: [truncated] });
  assert.deepEqual(classesOf(partly), { both: 4, missing: 1, history: 1 });
  const none = await compare(scene, placed(events), { truncated: ["topic/7"] });
  assert.deepEqual(classesOf(none), { both: 4, history: 2 });
});

test("an older event that comes again last says nothing about the state", async (t) => {
  const scene = new ReconcileScene(t);
  const { begin } = scene;
  scene.happen(exitEvents.pending, { id: 2, disposition: pending, submitted: begin });
  scene.happen(exitEvents.issued, row(scene, 2));
  await scene.flushed();
  const events = await publishedEvents(scene.journal);
  const [pend] = events.filter(({ partitionkey }) => partitionkey.endsWith(":2"));
  assert.ok(pend);
  for (const recordedMs of [begin - 5 * second, Date.parse(pend.recordedtime)]) {
    const again = { ...pend, recordedtime: new Date(recordedMs).toISOString() };
    const replayed = { ...again, replayed: true } as CertwireEvent;
    assert.deepEqual(classesOf(await compare(scene, placed([...events, replayed]))), { both: 1 });
  }
});

test("events of a backfill are no live ones, and alone they say nothing of what is missing", async (t) => {
  const { scene } = await sceneWith(t, 3);
  const stored: CertwireEvent[] = [];
  for await (const each of scene.caDatabase().rows([2, 3], signal)) {
    stored.push(...rowEvents(each, {}));
  }
  const report = await compare(scene, placed(stored));
  assert.deepEqual(classesOf(report), { backfilled: 2, history: 1 });
  assert.equal(report.coveredSince, undefined);
});

test("events with a source of the configuration, without contents ids and with nonsense are read", async (t) => {
  const scene = new ReconcileScene(t);
  scene.happen(exitEvents.issued, row(scene, 2));
  scene.happen(exitEvents.pending, { id: 3, disposition: pending, submitted: scene.begin });
  scene.happen(exitEvents.issued, row(scene, 4));
  await scene.flushed();
  const events = await publishedEvents(scene.journal, { source: "urn:example:ca:1" });
  const change = (changes: Record<string, unknown>) => (event: CertwireEvent) =>
    ({ ...event, ...changes }) as CertwireEvent;
  const withoutId = events.map((event) =>
    event.partitionkey.endsWith(":3") ? change({ contentid: "../../x" })(event) : event,
  );
  const nonsense = [
    change({ partitionkey: "urn:example:ca:1:99999999999" }),
    change({ partitionkey: "" }),
    change({ data: { ca: "x" } }),
    change({ dataschema: "urn:certwire:schema:later.kind:v1" }),
    change({ recordedtime: "yesterday", partitionkey: "urn:example:ca:1:77" }),
  ].flatMap((make) => events.slice(-1).map(make));
  const report = await compare(scene, placed([...withoutId, ...nonsense]));
  // Request 77 has no row.
  assert.deepEqual(classesOf(report), { both: 3, deleted: 1 });
  assert.equal(report.otherCa, 1);
});

/** A CA with CRLs in its database that differ from the events of its journal. */
async function sceneWithCrls(t: TestContext) {
  const scene = new ReconcileScene(t);
  scene.happen(exitEvents.issued, row(scene, 2));
  scene.recordCrls({ base: crl("base", 1) });
  scene.recordCrls({ delta: crl("delta", 1) });
  // The CA has deleted the row of this one.
  scene.recordCrls({ base: crl("base", 9) });
  scene.recordCrls({ base: crl("base", 2) });
  await scene.flushed();
  scene.database.crls = [
    crlRow(1, crl("base", 0), scene.begin - day),
    crlRow(2, crl("base", 1), scene.begin),
    crlRow(3, crl("delta", 1), scene.begin, { kind: "delta" }),
    crlRow(4, crl("base", 2), scene.begin),
    crlRow(5, crl("base", 4), scene.begin, { partition: 1 }),
    crlRow(6, crl("delta", 4), scene.begin, { partition: 1, kind: "delta" }),
  ];
  scene.database.partitions = { count: 2, certificates: [0] };
  scene.database.partitioned = [
    { index: 0, kind: "base", partition: 1, der: crl("base", 4) },
    { index: 0, kind: "base", partition: 2, der: crl("base", 6) },
  ];
  const events = await publishedEvents(scene.journal);
  const crls = events.filter(({ type }) => type.endsWith("crl.issued.v1"));
  assert.equal(crls.length, 4);
  return { scene, events, crls };
}

test("base and delta CRLs and those of partitions are compared with the topic", async (t) => {
  const { scene, events, crls } = await sceneWithCrls(t);
  const lost = crls.at(-1);
  const report = await compare(scene, placed(events.filter((event) => event !== lost)));
  const expected = { both: 2, missing: 1, partition: 3, history: 1, deleted: 1 };
  assert.deepEqual(crlClassesOf(report), expected);
  assert.deepEqual(classesOf(report), { both: 1 });
  assert.deepEqual(report.findings, [
    {
      class: "missing",
      crl: "crl/0/base/4112",
      missing: ["crl.issued"],
      time: new Date(scene.begin).toISOString(),
    },
  ]);
});

test("CRLs that a backfill has published to the topic are backfilled", async (t) => {
  const { scene, events, crls } = await sceneWithCrls(t);
  const stored: CertwireEvent[] = [];
  const database = scene.caDatabase();
  const take = (each: CrlRow) => stored.push(...[crlRowEvent(each, {}) ?? []].flat());
  for await (const page of database.crls(3, signal)) page.forEach(take);
  for await (const each of database.partitionedCrls(signal)) take(each);
  const others = events.filter((event) => !crls.slice(-1).includes(event));
  const report = await compare(scene, placed([...others, ...stored]));
  assert.deepEqual(crlClassesOf(report), { both: 2, backfilled: 4, history: 1, deleted: 1 });
});

test("a CRL is found by its number if its event has no hash, and one of another CA is left out", async (t) => {
  const { scene, events, crls } = await sceneWithCrls(t);
  scene.database.crls = scene.database.crls.slice(1, 2);
  scene.database.partitions = { count: 0, certificates: [] };
  const [first] = crls;
  assert.ok(first);
  const { contentid: _, ...unhashed } = first;
  const { subject: __, ...empty } = unhashed;
  const requests = events.filter((event) => !crls.includes(event));
  const ca = { ...(first.data["ca"] as object), certificateSha256: "0".repeat(64) };
  const other = { ...first, data: { ...first.data, ca } };
  const cases = [
    { copy: unhashed, expected: { both: 1 }, otherCa: 0 },
    { copy: empty, expected: { missing: 1 }, otherCa: 0 },
    { copy: other, expected: { missing: 1 }, otherCa: 1 },
  ];
  for (const { copy, expected, otherCa } of cases) {
    const report = await compare(scene, placed([...requests, copy]));
    assert.deepEqual(crlClassesOf(report), expected);
    assert.equal(report.otherCa, otherCa);
  }
});

test("a topic is read once, when the hours of the database have begun, and a failure of that ends the comparison", async (t) => {
  const { scene, events } = await sceneWith(t, 3);
  const read: ReadEvents = (into) => {
    for (const event of events) into.add({ event });
    return Promise.reject(new Error("the broker is gone"));
  };
  const paths = scene.paths.place("topic");
  let nowMs = new Date(2027, 2, 2, 20).getTime();
  const readAt: number[] = [];
  const contents = await EventContents.open("topic", paths, read, () => {
    readAt.push(new Date(nowMs).getHours());
    return nowMs;
  });
  const database = new CaDatabase(scene.database, {
    config: "CA01\\Contoso",
    load: { hours: { from: 22 * 60, to: 6 * 60 } },
    now: () => new Date(nowMs),
    sleep: async (ms) => {
      nowMs += ms;
    },
  });
  const run = await RunFile.open(paths.run);
  await assert.rejects(
    scene.reconcile({ database, contents, journal: "topic", paths, run, since: "full" }),
    /the broker is gone/,
  );
  assert.deepEqual(readAt, [22]);
  // What could not be read is not taken for read.
  await assert.rejects(
    contents.update("topic", new AbortController().signal),
    /the broker is gone/,
  );
  assert.deepEqual(readAt, [22, 22]);
});
