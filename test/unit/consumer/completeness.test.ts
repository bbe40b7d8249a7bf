import assert from "node:assert/strict";
import { test } from "node:test";
import { Completeness } from "../../../src/consumer/completeness/completeness.ts";
import { type CertwireEvent, type EventKind, eventKinds } from "../../../src/events/event.ts";
import { kindOf } from "../../../src/events/event-kind.ts";
import { readGoldenEvents } from "../../support/golden-events.ts";

const ids = { 1: "a".repeat(32), 2: "b".repeat(32), 3: "c".repeat(32), 9: "9".repeat(32) } as const;

/** A short name for an event: epoch, number, and what it is. */
function event(
  epoch: keyof typeof ids,
  sequence: number,
  kind: EventKind = "certificate.issued",
  data: object = {},
  index = 0,
): CertwireEvent {
  const time = new Date(Date.UTC(2026, 0, 1) + epoch * 1e6 + sequence * 1000).toISOString();
  return {
    specversion: "1.0",
    id: `${ids[epoch]}-${sequence}-${index}`,
    source: "urn:certwire:ca:one",
    type: `io.certwire.${kind}.v1`,
    time,
    datacontenttype: "application/json",
    dataschema: `urn:certwire:schema:${kind}:v1`,
    sequence: `${String(epoch).padStart(10, "0")}-${String(sequence).padStart(20, "0")}`,
    partitionkey: "one",
    recordedtime: time,
    data: { ca: { id: "one" }, ...data },
  };
}

/** A gap that the reader of the journal found. */
function gap(epoch: keyof typeof ids, reason: string, from: number, to?: number): CertwireEvent {
  const last = to === undefined ? {} : { lastSequence: String(to) };
  const data = { reason, firstSequence: String(from), ...last };
  return event(epoch, from, "journal.gap", data, 65_535);
}

function started(epoch: keyof typeof ids, ...sequences: number[]): CertwireEvent[] {
  return [event(epoch, 2, "ca.started"), ...sequences.map((sequence) => event(epoch, sequence))];
}

function holesOf(events: readonly CertwireEvent[]) {
  const completeness = new Completeness();
  for (const each of events) completeness.add(each);
  const { journals, isComplete } = completeness.report();
  const holes = journals.flatMap(({ holes: own }) =>
    own.map((hole) => {
      const entries = Object.entries(hole).filter(([name]) => name !== "epochId");
      return Object.fromEntries(entries) as Record<string, unknown>;
    }),
  );
  return { holes, isComplete, journals };
}

test("a missing record is a hole with its epoch and numbers, and a gap event accounts for others", () => {
  const events = [...started(1, 3, 5, 6, 9), gap(1, "corrupt", 7, 8)];
  const { holes, isComplete } = holesOf(events);
  assert.equal(isComplete, false);
  assert.deepEqual(holes, [
    { kind: "records", epochNumber: 1, from: 4, to: 4 },
    { kind: "records", epochNumber: 1, from: 7, to: 8, accountedBy: "corrupt" },
  ]);
  assert.equal(holesOf([...events, event(1, 4)]).isComplete, true);
});

test("events of every kind are taken, and those of the database stand in no journal", () => {
  const golden = readGoldenEvents().map(({ event: each }) => each);
  const kinds = new Set(golden.map(kindOf));
  assert.deepEqual([...kinds].toSorted(), eventKinds.toSorted());
  const ofDatabase = golden.filter(({ origin }) => origin === "database");
  assert.ok(ofDatabase.length > 0);
  assert.equal(holesOf(ofDatabase).journals.length, 0);
  const completeness = new Completeness();
  for (const each of golden) completeness.add(each);
  assert.equal(completeness.report().events, golden.length - ofDatabase.length);
});

test("a start in the middle of an epoch is where the proof starts, not a hole", () => {
  const { holes, journals } = holesOf([event(1, 40), event(1, 41), event(1, 43)]);
  assert.deepEqual(holes, [{ kind: "records", epochNumber: 1, from: 42, to: 42 }]);
  const { startsAt } = journals[0] ?? {};
  assert.deepEqual(startsAt, {
    epochNumber: 1,
    epochId: ids[1],
    sequence: 40,
    isStartOfEpoch: false,
  });
});

test("replays of what is older than the first live event do not move the start", () => {
  const replays = [10, 12].map((sequence) => ({ ...event(1, sequence), replayed: true as const }));
  const { holes, journals } = holesOf([...replays, event(1, 40), event(1, 41)]);
  assert.deepEqual(holes, []);
  assert.equal(journals[0]?.startsAt.sequence, 40);
});

test("events that retention deleted from some partitions only are not holes", () => {
  const completeness = new Completeness();
  for (const sequence of [3, 5, 7, 9, 11]) completeness.add(event(1, sequence));
  for (const sequence of [8, 12]) {
    completeness.add(event(1, sequence), { truncatedPartition: "certificates/1" });
  }
  const restored = Completeness.from(JSON.parse(JSON.stringify(completeness)));
  const [journal] = restored.report().journals;
  assert.equal(journal?.startsAt.sequence, 8);
  assert.deepEqual(
    journal?.holes.map((hole) => hole.kind === "records" && [hole.from, hole.to]),
    [[10, 10]],
  );
});

test("an epoch that another one follows must have an end", () => {
  const next = started(2, 3);
  const open = holesOf([...started(1, 3), ...next]).holes;
  assert.deepEqual(open, [{ kind: "end", epochNumber: 1, from: 4 }]);
  const stopped = holesOf([...started(1, 3), event(1, 4, "ca.stopped"), ...next]);
  assert.equal(stopped.isComplete, true);
  const killed = holesOf([...started(1, 3), gap(1, "unclean-stop", 4), ...next]);
  assert.equal(killed.isComplete, true);
});

test("the gap of an unclean stop shows that the records before it are missing", () => {
  const { holes } = holesOf([...started(1, 3), gap(1, "unclean-stop", 6), ...started(2)]);
  assert.deepEqual(holes, [{ kind: "records", epochNumber: 1, from: 4, to: 5 }]);
});

test("an epoch that is missing as a whole is a hole, unless a gap event accounts for it", () => {
  const [first, third] = [[...started(1), event(1, 3, "ca.stopped")], started(3)];
  assert.deepEqual(holesOf([...first, ...third]).holes, [{ kind: "epochs", from: 2, to: 2 }]);
  const { holes, isComplete } = holesOf([...first, gap(1, "missing-segment", 5), ...third]);
  assert.equal(isComplete, true);
  assert.deepEqual(holes, [{ kind: "epochs", from: 2, to: 2, accountedBy: "missing-segment" }]);
});

test("what the reader skipped because of retention in the journal is accounted for into the next epoch", () => {
  const events = [...started(1, 3), gap(1, "retention", 4), event(3, 70), event(3, 71)];
  const { holes, isComplete } = holesOf(events);
  assert.equal(isComplete, true);
  assert.deepEqual(holes, [
    { kind: "epochs", from: 2, to: 2, accountedBy: "retention" },
    { kind: "records", epochNumber: 3, from: 2, to: 69, accountedBy: "retention" },
  ]);
});

test("numbers that begin again after a journal was deleted are another run of the same CA", () => {
  const events = [event(9, 5), event(9, 6), gap(9, "rollback", 7)];
  const later = started(1, 3).map((each) => ({
    ...each,
    recordedtime: "2027-01-01T00:00:00.000Z",
  }));
  const { journals, isComplete } = holesOf([...later, ...events]);
  assert.equal(isComplete, true);
  assert.deepEqual(
    journals.map(({ epochs }) => epochs.map(({ epochNumber }) => epochNumber)),
    [[9, 1]],
  );
});

test("each event of a CRL record is needed, and one that is missing is named", () => {
  // The CA numbers base and delta CRLs each from 0; the index of an event is the place in the list of all.
  const old = { index: 0, kind: "base", number: "6" };
  const base = { index: 1, kind: "base", number: "7" };
  const delta = { index: 1, kind: "delta", number: "7" };
  const first = event(1, 3, "crl.issued", { crl: base, current: [old, delta] }, 1);
  const second = event(1, 3, "crl.issued", { crl: delta, current: [old, base] }, 2);
  assert.deepEqual(holesOf([...started(1, 4), first]).holes, [
    { kind: "events", epochNumber: 1, sequence: 3, indexes: [2] },
  ]);
  const { journals, isComplete } = holesOf([...started(1, 4), second, first, first]);
  assert.equal(isComplete, true);
  assert.equal(journals[0]?.epochs[0]?.duplicates, 1);
  assert.equal(journals[0]?.epochs[0]?.events, 4);
});

test("a ca.changed joins the ids of a CA, and does not stand for the event of its record", () => {
  const data = { ca: { id: "two" }, previous: { id: "one" } };
  const changed = event(2, 2, "ca.changed", data, 65_534);
  const own = { ca: { id: "two" } };
  const first = [...started(1), event(1, 3, "ca.stopped")];
  const { journals, holes } = holesOf([...first, changed, event(2, 3, "certificate.issued", own)]);
  assert.deepEqual(journals[0]?.caIds, ["one", "two"]);
  assert.deepEqual(holes, [{ kind: "records", epochNumber: 2, from: 2, to: 2 }]);
});

test("two CAs in one topic are two journals", () => {
  const other = { ca: { id: "two" } };
  const { journals } = holesOf([...started(1, 3), event(2, 2, "ca.started", other)]);
  assert.deepEqual(
    journals.map(({ caIds, holes }) => [caIds, holes]),
    [
      [["one"], []],
      [["two"], []],
    ],
  );
});

test("the seal of the journal is not taken for a lost event, two numbers are", () => {
  const stopped = [...started(1), event(1, 3, "ca.stopped")];
  const late = holesOf([...stopped, event(1, 5)]);
  assert.deepEqual(late.holes, []);
  assert.equal(late.journals[0]?.epochs[0]?.seals, 1);
  assert.equal(holesOf([...stopped, event(1, 6)]).isComplete, false);
});

test("events that were lost before they got a number are counted, once", () => {
  const full = event(1, 3, "journal.gap", { reason: "disk-full", count: "12" });
  const { journals } = holesOf([...started(1, 4), full, full]);
  assert.equal(journals[0]?.epochs[0]?.lost, 12);
});

test("a gap that is redelivered with a larger range replaces the smaller one", () => {
  const events = [...started(1, 9), gap(1, "retention", 3, 5), gap(1, "retention", 3, 8)];
  const { journals, isComplete } = holesOf([...events, gap(1, "retention", 3, 5)]);
  assert.equal(isComplete, true);
  assert.equal(journals[0]?.epochs[0]?.duplicates, 2);
});

test("a lost epoch is found although an epoch of an older run of the numbers has its number", () => {
  const clean = (epoch: keyof typeof ids): CertwireEvent[] => [
    ...started(epoch),
    event(epoch, 3, "ca.stopped"),
  ];
  const old = [...clean(1), ...clean(2), ...clean(3)];
  const again = (events: readonly CertwireEvent[]): CertwireEvent[] =>
    events.map((each) => ({
      ...each,
      id: `f${each.id.slice(1)}`,
      recordedtime: each.recordedtime.replace("2026", "2027"),
    }));
  const whole = holesOf([...old, ...again([...clean(1), ...clean(2), ...clean(3)])]);
  assert.deepEqual(whole.holes, []);
  const { holes } = holesOf([...old, ...again([...clean(1), ...clean(3)])]);
  assert.deepEqual(holes, [{ kind: "epochs", from: 2, to: 2 }]);
});

test("an older copy of the journal that was restored goes on with a number that is there already", () => {
  const restored = { ...event(3, 2, "ca.started"), sequence: "0000000002-00000000000000000002" };
  const old = [...started(1), event(1, 3, "ca.stopped"), ...started(2), event(2, 3, "ca.stopped")];
  const { holes, journals } = holesOf([...old, restored]);
  assert.deepEqual(holes, []);
  assert.deepEqual(
    journals[0]?.epochs.map(({ epochNumber }) => epochNumber),
    [1, 2, 2],
  );
});

test("a clock that is set back between two starts of the CA makes no holes", () => {
  const at = (each: CertwireEvent, time: string) => ({ ...each, recordedtime: time });
  const events = [
    at(event(1, 2, "ca.started"), "2026-01-01T08:00:00Z"),
    at(event(1, 3, "ca.stopped"), "2026-01-01T08:10:00Z"),
    at(event(2, 2, "ca.started"), "2026-01-01T11:00:00Z"),
    at(event(2, 3, "ca.stopped"), "2026-01-01T11:10:00Z"),
    at(event(3, 2, "ca.started"), "2026-01-01T09:00:00Z"),
    at(event(3, 3), "2026-01-01T12:00:00Z"),
  ];
  assert.deepEqual(holesOf(events).holes, []);
  const gone = events.filter(({ id }) => !id.startsWith(ids[2]));
  assert.deepEqual(holesOf(gone).holes, [{ kind: "epochs", from: 2, to: 2 }]);
});

test("a range that the writer has in doubt is not accounted for: if it is lost, the reader says so", () => {
  const data = { reason: "flush-error", firstSequence: "3", lastSequence: "5" };
  const doubt = event(1, 6, "journal.gap", data);
  const { holes } = holesOf([...started(1, 3, 5), doubt]);
  assert.deepEqual(holes, [{ kind: "records", epochNumber: 1, from: 4, to: 4 }]);
  assert.equal(holesOf([...started(1, 3, 5), doubt, gap(1, "corrupt", 4, 4)]).isComplete, true);
});

test("of two gaps without an end at one place the answer is the same in both orders", () => {
  const both = [gap(1, "unclean-stop", 4), gap(1, "retention", 4)];
  const rest = [...started(1, 3), event(3, 70)];
  assert.deepEqual(
    holesOf([...rest, ...both]).holes,
    holesOf([...rest, ...both.toReversed()]).holes,
  );
});

test("what comes after the end of the proof fills holes and makes none", () => {
  const completeness = new Completeness();
  for (const each of [...started(1, 3, 6), event(1, 7, "ca.stopped")]) completeness.add(each);
  const late = [event(1, 4), event(1, 12), ...started(3, 9)];
  for (const each of late) completeness.add(each, { isLate: true });
  const restored = Completeness.from(JSON.parse(JSON.stringify(completeness)));
  const { journals, holes } = restored.report();
  assert.equal(holes, 1);
  const own = journals.flatMap((journal) => journal.holes);
  const place = { epochNumber: 1, epochId: ids[1], from: 5, to: 5 };
  assert.deepEqual(own, [{ kind: "records", ...place }]);
});

test("a partition that lost its events and has none of a journal left is named", () => {
  const completeness = new Completeness();
  completeness.addTruncatedPartition("certificates/2");
  for (const sequence of [3, 5]) {
    completeness.add(event(1, sequence), { truncatedPartition: "certificates/1" });
  }
  const restored = Completeness.from(JSON.parse(JSON.stringify(completeness)));
  const [journal] = restored.report().journals;
  assert.deepEqual(journal?.emptied, ["certificates/2"]);
  assert.equal(journal.holes.length, 1);
});

test("forged events reach a limit before they fill the memory", () => {
  const completeness = new Completeness();
  const base = event(1, 2);
  const flood = (): void => {
    for (let at = 0; at < 1_000_000; at += 1) {
      completeness.add({ ...base, id: `${at.toString(16).padStart(32, "0")}-2-0` });
    }
  };
  assert.throws(flood, { code: "CERTWIRE_COMPLETENESS_LIMIT" });
  const sparse = new Completeness();
  const scatter = (): void => {
    for (let at = 1; at < 1_000_000; at += 1) {
      const sequence = `0000000001-${String(at * 5000).padStart(20, "0")}`;
      sparse.add({ ...base, id: `${ids[1]}-${at * 5000}-0`, sequence });
    }
  };
  assert.throws(scatter, { code: "CERTWIRE_COMPLETENESS_LIMIT" });
  const { holes, journals } = sparse.report();
  assert.ok(holes > 100_000);
  assert.equal(journals[0]?.holes.length, 100_000);
  assert.equal(journals[0]?.unlisted, holes - 100_000);
});

test("a CRL event that names a million CRLs is one event", () => {
  const current = Array.from({ length: 100_000 }, () => ({}));
  const { holes } = holesOf([...started(1, 4), event(1, 3, "crl.issued", { current }, 2)]);
  assert.deepEqual(holes, []);
});

test("memory grows with the holes, not with the events", () => {
  const completeness = new Completeness();
  for (let sequence = 2; sequence < 200_000; sequence += 1) {
    if (sequence !== 777) completeness.add(event(1, sequence));
  }
  assert.ok(JSON.stringify(completeness).length < 1000);
  assert.equal(completeness.report().holes, 1);
});

test("an event without a place in a journal, and a state that is none, are refused", () => {
  const completeness = new Completeness();
  const [base, code] = [event(1, 2), "CERTWIRE_MESSAGE_INVALID"];
  const sequence = "0000000001-00000000000000000003";
  for (const wrong of [{ id: "x" }, { sequence: "1" }, { sequence }, { id: `${ids[1]}-0-0` }]) {
    assert.throws(() => completeness.add({ ...base, ...wrong }), { code });
  }
  assert.equal(completeness.report().events, 0);
  const bad: unknown[] = [{}, { version: 2 }, { version: 1, epochs: [{}] }, { version: 1 }, null];
  completeness.add(base, { truncatedPartition: "p" });
  const good = JSON.parse(JSON.stringify(completeness)) as { epochs: object[] };
  const [epoch] = good.epochs;
  for (const damage of [
    { id: "x" },
    { number: "1" },
    { first: null },
    { since: 5 },
    { events: -1 },
    { cas: [1] },
    { seen: { full: [[2, 1]], open: [] } },
    { seen: { full: [], open: [[0, "AAAA"]] } },
    { seen: { full: [], open: [[0, [[0, 9999]]]] } },
    { seen: { full: [[0, 0]], open: [[0, [[1, 1]]]] } },
    { gaps: [{ from: 1 }] },
    { partial: [[1, 2, 3]] },
  ]) {
    bad.push({ ...good, epochs: [{ ...epoch, ...damage }] });
  }
  bad.push({ ...good, epochs: [epoch, epoch] }, { ...good, partitions: [["p", [["x", null]]]] });
  for (const state of bad) {
    const restore = () => Completeness.from(state as never);
    assert.throws(restore, { code: "CERTWIRE_CONSUMER_OPTIONS" });
  }
});
