import assert from "node:assert/strict";
import { test } from "node:test";
import type { CertwireEvent } from "../../../src/events/event.ts";
import { Redactor } from "../../../src/events/redaction/redactor.ts";
import { shrinkEvent } from "../../../src/events/shrink-event.ts";
import { compareEvents, issuedIn, sequenceOf, without } from "../../support/compare-events.ts";
import { publishedEvents, simulatedJournal } from "../../support/evidence-journal.ts";

const forms = [
  {},
  { detail: "full" },
  { includeRawRequest: true },
  { detail: "full", includeRawRequest: true, source: "urn:example:ca", typePrefix: "org.example." },
] as const;

for (const options of forms) {
  test(`events say what their records say in any form: ${JSON.stringify(options)}`, async (t) => {
    const directory = simulatedJournal(t);
    const events = await publishedEvents(directory, options);
    const { counts, found, open } = await compareEvents(directory, events);
    assert.deepEqual([found, open], [[], []]);
    assert.deepEqual([counts.same, counts.partly, counts.unread], [events.length, 0, 0]);
  });
}

test("the order of the events, copies and replays make no difference", async (t) => {
  const directory = simulatedJournal(t);
  const events = await publishedEvents(directory);
  const replays = events.map((event) => ({ ...event, replayed: true as const }));
  const { counts, found } = await compareEvents(directory, [...replays.toReversed(), ...events]);
  assert.deepEqual(found, []);
  assert.equal(counts.same, 2 * events.length);
});

test("each value of an event that was altered is found", async (t) => {
  const directory = simulatedJournal(t);
  const events = await publishedEvents(directory);
  const victim = issuedIn(events, 1);
  const request = victim.data["request"] as Record<string, unknown>;
  const { requesterName: _name, ...lessRequest } = request;
  const alterations: Partial<CertwireEvent>[] = [
    { data: { ...victim.data, request: { ...request, requesterName: "CORP\\nobody" } } },
    { data: { ...victim.data, request: lessRequest } },
    { data: { ...victim.data, note: "added" } },
    { data: {} },
    { subject: "certificate/00" },
    { time: "2020-01-01T00:00:00.000Z" },
    { partitionkey: "other" },
    { recordhash: "0".repeat(64) },
    { previoushash: "0".repeat(64) },
  ];
  for (const alteration of alterations) {
    const altered = events.map((each) => (each === victim ? { ...victim, ...alteration } : each));
    const { found } = await compareEvents(directory, altered);
    assert.deepEqual(found, [`content 1/${sequenceOf(victim)}`], JSON.stringify(alteration));
  }
});

test("a kind that an event is not is found", async (t) => {
  const directory = simulatedJournal(t);
  const events = await publishedEvents(directory);
  const victim = issuedIn(events, 1);
  const type = victim.type.replace("issued", "revoked");
  const { found } = await compareEvents(
    directory,
    events.map((each) => (each === victim ? { ...victim, type } : each)),
  );
  assert.deepEqual(found, [`content 1/${sequenceOf(victim)}`]);
});

test("what a sink redacts or leaves out is no change, and anything else beside it is", async (t) => {
  const directory = simulatedJournal(t);
  const events = await publishedEvents(directory);
  const redactor = new Redactor({ remove: ["request.requesterName"], hash: [], key: "" });
  const shown = events.map((event) => redactor.redact(event));
  const small = shown.map((event) => shrinkEvent(event, 2500));
  const { counts, found } = await compareEvents(directory, small);
  assert.deepEqual(found, []);
  assert.ok(counts.partly > 10, `${counts.partly} of ${events.length}`);
  const victim = issuedIn(small, 1);
  const notify = { ...(victim.data["notify"] as object), threadId: 1 };
  const altered = { ...victim, data: { ...victim.data, notify } };
  const { found: changes, details } = await compareEvents(
    directory,
    small.map((each) => (each === victim ? altered : each)),
  );
  assert.deepEqual(changes, [`content 1/${sequenceOf(victim)}`]);
  assert.match(details[0] ?? "", /^data\.notify\.threadId /);
});

test("a record without an event is found, unless it is a dead letter", async (t) => {
  const directory = simulatedJournal(t);
  const events = await publishedEvents(directory);
  const victim = issuedIn(events, 1);
  const kept = without(victim, events);
  const missing = await compareEvents(directory, kept);
  assert.deepEqual(missing.found, [`missing 1/${sequenceOf(victim)}`]);
  assert.equal(missing.open.length, 1);
  const deadLetters = new Set([`${victim.id.slice(0, 32)}-${sequenceOf(victim)}`]);
  const { found, counts, open } = await compareEvents(directory, kept, { deadLetters });
  assert.deepEqual([found, open, counts.deadLetters], [[], [], 1]);
});

test("what was there before the first event and after the last is counted and not missed", async (t) => {
  const directory = simulatedJournal(t);
  const events = await publishedEvents(directory);
  const { found, counts } = await compareEvents(directory, events.slice(10, -10));
  assert.deepEqual(found, []);
  assert.ok(counts.before >= 9 && counts.after >= 9, JSON.stringify(counts));
});

test("an epoch without any event is found", async (t) => {
  const directory = simulatedJournal(t);
  const third = await publishedEvents(directory);
  const other = simulatedJournal(t);
  const events = third.filter(({ sequence = "" }) => /^0+2-/.test(sequence));
  assert.deepEqual((await compareEvents(directory, events)).found, []);
  const { found } = await compareEvents(other, events);
  assert.deepEqual(new Set(found.map((text) => text.split(" ")[0])), new Set(["unknown"]));
});

test("in a compacted topic a later event of the request explains the hole, and nothing else does", async (t) => {
  const directory = simulatedJournal(t, { count: 120 });
  const events = await publishedEvents(directory);
  const newest = new Map(events.map((event) => [event.partitionkey, event.sequence]));
  const compacted = events.filter((event) => newest.get(event.partitionkey) === event.sequence);
  assert.ok(compacted.length < events.length - 3);
  const { found, counts, open } = await compareEvents(directory, compacted, { keepsKeys: true });
  assert.deepEqual([found, open], [[], []]);
  assert.ok(counts.compacted > 0);
  const victim = issuedIn(compacted, 2);
  const { found: missing } = await compareEvents(directory, without(victim, compacted), {
    keepsKeys: true,
  });
  const key = victim.partitionkey;
  const ofKey = events.filter(({ partitionkey }) => partitionkey === key);
  assert.deepEqual(
    missing,
    ofKey.map((event) => `missing 2/${sequenceOf(event)}`),
  );
});
