import assert from "node:assert/strict";
import { test } from "node:test";
import type { CertwireEvent } from "../../../src/events/event.ts";
import { checkChain } from "../../../src/evidence/check-chain.ts";
import { EventLog } from "../../../src/evidence/event-log.ts";
import { Findings } from "../../../src/evidence/finding.ts";
import { SeededRandom } from "../../../src/simulate/seeded-random.ts";
import { JournalTruth } from "../../support/journal-truth.ts";
import { scaled } from "../../support/scale.ts";

const issue = { do: "issue" } as const;
const records = [issue, issue, { do: "crl", events: 2 }, issue, { do: "change" }, issue] as const;
const plan = [
  { records, end: "clean", isNextMissing: false },
  { records: [...records, { do: "damage", records: 2 }], end: "killed", isNextMissing: false },
  { records, end: "late", isNextMissing: false },
] as const;
const { events } = new JournalTruth("a", plan);

function check(list: readonly CertwireEvent[]) {
  const log = new EventLog();
  for (const [at, event] of list.entries()) {
    log.add(event, JSON.stringify(event.data), { name: "events:", at: at + 1 });
  }
  const findings = new Findings();
  return { ...checkChain(log, findings), findings: findings.list() };
}

/** Kinds and records of what was found. */
function found(list: readonly CertwireEvent[]): string[] {
  return check(list).findings.map(
    ({ kind, epochNumber, sequence }) => `${kind} ${epochNumber}/${sequence}`,
  );
}

/** The event with a number in an epoch, the first one of its record. */
function eventAt(epoch: number, sequence: number, index = 0): CertwireEvent {
  const end = `${String(epoch).padStart(4, "0")}-${sequence}-${index}`;
  const event = events.find(({ id }) => id.endsWith(end));
  assert.ok(event, end);
  return event;
}

function changed(event: CertwireEvent, changes: Partial<CertwireEvent>): CertwireEvent[] {
  return events.map((each) => (each === event ? { ...event, ...changes } : each));
}

test("the chain fits through all events of a journal, whatever their order and however often they come", () => {
  const random = new SeededRandom("chain");
  const twice = [...events, ...events.map((event) => ({ ...event, replayed: true as const }))];
  for (let run = 0; run < scaled(5, { least: 2 }); run += 1) {
    const shuffled = twice
      .map((event) => ({ event, at: random.fraction() }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ event }) => event);
    const { findings, links, openLinks, records: count } = check(shuffled);
    assert.deepEqual(findings, []);
    // What the gap of the second epoch accounts for was in between.
    assert.deepEqual([links, openLinks], [count - 1, 1]);
  }
});

test("a record that is gone leaves a link open, which is a hole and not yet a change", () => {
  const { findings, openLinks } = check(events.filter((event) => event !== eventAt(1, 4)));
  assert.deepEqual(findings, []);
  assert.equal(openLinks, 1 + 1);
});

test("a record that is gone, with the later ones renumbered, is found", () => {
  const victim = eventAt(1, 3);
  const next = eventAt(1, 4);
  const { id, sequence = "" } = victim;
  const list = events.filter((event) => event !== victim);
  const moved = list.map((event) => (event === next ? { ...next, id, sequence } : event));
  assert.deepEqual(found(moved), ["link 1/3"]);
});

test("two records that changed places are found", () => {
  const [one, other] = [eventAt(1, 3), eventAt(1, 4)];
  const { id, sequence = "" } = one;
  const list = changed(one, { id: other.id, sequence: other.sequence! });
  const swapped = list.map((event) => (event === other ? { ...other, id, sequence } : event));
  assert.ok(found(swapped).includes("link 1/3"));
});

test("a record hash that was changed breaks the link to the next record", () => {
  const crl = eventAt(1, 5, 1);
  assert.deepEqual(found(changed(crl, { recordhash: "0".repeat(64) })), ["double 1/5"]);
  const issued = eventAt(1, 3);
  assert.deepEqual(found(changed(issued, { recordhash: "0".repeat(64) })), ["link 1/4"]);
  assert.deepEqual(found(changed(issued, { previoushash: "0".repeat(64) })), ["link 1/3"]);
});

test("a first record that is not the first one is found", () => {
  assert.deepEqual(found(changed(eventAt(1, 2), { previoushash: "0".repeat(64) })), ["start 1/2"]);
});

test("an id that comes again with another body is found, as a copy and as a replay", () => {
  const event = eventAt(1, 3);
  const data = { ...event.data, note: "another" };
  assert.deepEqual(found([...events, { ...event, data }]), ["double 1/3"]);
  assert.deepEqual(found([...events, { ...event, data, replayed: true }]), ["double 1/3"]);
  assert.deepEqual(found([...events, { ...event, subject: "certificate/1" }]), ["double 1/3"]);
  // Whichever was read first.
  assert.deepEqual(found([{ ...event, data }, ...events, ...events]), ["double 1/3"]);
  const other = { ...event, recordhash: "1".repeat(64) };
  assert.deepEqual(found([...events, other]), ["double 1/3"]);
});

test("events without hashes are found, gaps without a record are none of them", () => {
  const { recordhash: _hash, ...event } = eventAt(1, 3);
  assert.deepEqual(found(events.map((each) => (each.id === event.id ? event : each))), [
    "unchained 1/3",
  ]);
  assert.ok(events.some(({ recordhash }) => recordhash === undefined));
});

test("an epoch whose events are given another epoch number is found", () => {
  const list = events.map((event) => ({
    ...event,
    sequence: event.sequence!.replace(/^0000000003/, "0000000009"),
  }));
  assert.deepEqual(found(list), ["start 9/2"]);
});

test("a second journal of the same CA is found where both ran at the same time", () => {
  const other = new JournalTruth("a", plan, 500).events.map((event) => ({
    ...event,
    id: event.id.replace(/^../, "ff"),
  }));
  const kinds = new Set(check([...events, ...other]).findings.map(({ kind }) => kind));
  assert.ok(kinds.has("together"));
  const later = new JournalTruth("a", plan, 10 ** 9).events.map((event) => ({
    ...event,
    id: event.id.replace(/^../, "ff"),
  }));
  const apart = check([...events, ...later]).findings.filter(({ kind }) => kind === "together");
  assert.deepEqual(apart, []);
});

test("the first finding is the first in the journal, with the place of its event", () => {
  const list = [
    ...changed(eventAt(3, 3), { previoushash: "0".repeat(64) }),
    { ...eventAt(1, 3), subject: "other" },
  ];
  const [first, second] = check(list).findings;
  assert.deepEqual([first?.epochNumber, first?.place], [1, `events:${list.length}`]);
  assert.equal(second?.epochNumber, 3);
});
