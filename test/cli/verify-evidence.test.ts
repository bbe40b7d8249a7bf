import assert from "node:assert/strict";
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { CertwireEvent } from "../../src/events/event.ts";
import { findingEvent } from "../../src/events/finding-event.ts";
import type { Finding } from "../../src/evidence/finding.ts";
import type { ComparisonReport } from "../../src/evidence/journal-comparison.ts";
import { DeadLetterFile } from "../../src/state/dead-letter.ts";
import { stateLayout } from "../../src/state/layout.ts";
import { ChangedSegment } from "../support/changed-journal.ts";
import { publishedEvents, recordOn, simulatedJournal } from "../support/evidence-journal.ts";
import { readGoldenEvents, sampleFinding } from "../support/golden-events.ts";
import { runCli, temporaryDirectory } from "../support/run-cli.ts";

interface Result {
  readonly isComplete: boolean;
  readonly read: number;
  readonly database: number;
  readonly foreign: number;
  readonly later: number;
  readonly evidence: {
    readonly isUnchanged: boolean;
    readonly chain: { readonly links: number; readonly openLinks: number };
    readonly comparison?: ComparisonReport;
    readonly explainedHoles?: number;
    readonly findings: readonly Finding[];
  };
}

function eventFile(context: TestContext, events: readonly CertwireEvent[]): string {
  const file = join(temporaryDirectory(context), "events.ndjson");
  writeFileSync(file, events.map((event) => `${JSON.stringify(event)}\n`).join(""));
  return file;
}

async function verify(...words: string[]) {
  const { exitCode, stdout, stderr } = await runCli("verify", "--json", ...words);
  assert.notEqual(stdout, "", stderr);
  const result = JSON.parse(stdout) as Result;
  const found = result.evidence.findings.map(
    ({ kind, epochNumber, sequence }) => `${kind} ${epochNumber}/${sequence}`,
  );
  return { exitCode, found, result };
}

function segments(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(".cej"))
    .toSorted()
    .map((name) => join(directory, name));
}

/** Changes the account in a record, with its CRCs; `isChained`: the chain from there on too. */
function changeRecord(directory: string, at: number, isChained: boolean): number {
  const segment = new ChangedSegment(segments(directory)[0] ?? "");
  const record = segment.records()[at];
  assert.ok(record);
  const name = record.payload.indexOf("Evidence CA");
  assert.ok(name > 0);
  record.payload.write("Evidence CB", name);
  segment.repair(record);
  if (isChained) segment.chainFrom(record);
  segment.save();
  return record.sequence;
}

test("a journal that nobody changed is intact, alone and beside its events", async (context) => {
  const journal = simulatedJournal(context);
  const events = eventFile(context, await publishedEvents(journal));
  const alone = await runCli("verify", "--journal", journal);
  assert.equal(alone.exitCode, 0, alone.stdout);
  assert.match(alone.stdout, /^not damaged$/m);
  const both = await runCli("verify", "--journal", journal, events);
  assert.equal(both.exitCode, 0, both.stdout);
  assert.match(both.stdout, /^chain of \d+ records: \d+ links fit$/m);
  assert.match(both.stdout, /^ {2}\d+ events the same as the record$/m);
  assert.match(both.stdout, /^complete$/m);
});

test("a record that was changed with its CRCs is named, and so is its event", async (context) => {
  const journal = simulatedJournal(context);
  const events = eventFile(context, await publishedEvents(journal));
  const sequence = changeRecord(journal, 5, false);
  const alone = await verify("--journal", journal);
  assert.deepEqual([alone.exitCode, alone.found], [5, [`journal 1/${sequence}`]]);
  const text = await runCli("verify", "--journal", journal);
  assert.match(text.stdout, new RegExp(`^first: epoch 1 .*, record ${sequence}: journal:`, "m"));
  const both = await verify("--journal", journal, events);
  assert.equal(both.exitCode, 5);
  assert.deepEqual(both.found, [`journal 1/${sequence}`, `content 1/${sequence}`]);
  const check = await runCli("journal", "check", "--journal", journal);
  assert.equal(check.exitCode, 65);
  assert.match(check.stdout, /changed +epoch 1, sequence /);
});

test("a chain that somebody computed anew fits in itself, and not to the events", async (context) => {
  const journal = simulatedJournal(context);
  const events = eventFile(context, await publishedEvents(journal));
  const sequence = changeRecord(journal, 5, true);
  const alone = await verify("--journal", journal);
  assert.deepEqual([alone.exitCode, alone.found], [0, []]);
  const both = await verify("--journal", journal, events);
  assert.equal(both.exitCode, 5);
  assert.equal(both.found[0], `content 1/${sequence}`);
});

test("an epoch that was taken out of the journal is found in it, and named by its events", async (context) => {
  const journal = simulatedJournal(context, { epochs: 3 });
  const events = eventFile(context, await publishedEvents(journal));
  rmSync(segments(journal)[1] ?? "");
  const alone = await runCli("verify", "--journal", journal);
  assert.equal(alone.exitCode, 65);
  assert.match(alone.stdout, /^missing +epoch 1, /m);
  const both = await verify("--journal", journal, events);
  assert.equal(both.exitCode, 5);
  assert.equal(both.found[0], "unknown 2/2");
});

test("an epoch that was taken out of a topic is a hole that the journal does not explain", async (context) => {
  const journal = simulatedJournal(context, { epochs: 3 });
  const all = await publishedEvents(journal);
  const events = eventFile(
    context,
    all.filter(({ sequence = "" }) => !/^0+2-/.test(sequence)),
  );
  assert.equal((await verify(events)).exitCode, 4);
  const both = await verify("--journal", journal, events);
  assert.deepEqual([both.exitCode, both.found], [4, ["missing 2/2"]]);
  assert.equal(both.result.isComplete, false);
});

test("records of another journal between those of a journal are found", async (context) => {
  const journal = simulatedJournal(context, { epochs: 3 });
  const other = simulatedJournal(context, { epochs: 3, seed: "other" });
  rmSync(segments(journal)[1] ?? "");
  cpSync(segments(other)[1] ?? "", join(journal, "e0000000002-s000000.cej"));
  const { exitCode, stdout } = await runCli("verify", "--journal", journal);
  assert.equal(exitCode, 65, stdout);
  assert.match(stdout, /^missing +epoch [12], /m);
});

test("events of two journals of one CA that ran at the same time are found", async (context) => {
  const one = await publishedEvents(simulatedJournal(context, { epochs: 1 }));
  const source = one[0]?.source ?? "";
  const other = await publishedEvents(simulatedJournal(context, { epochs: 1, seed: "other" }), {
    source,
  });
  const [since, until] = [one[0]?.recordedtime ?? "", one.at(-1)?.recordedtime ?? ""];
  const mixed = other.map((event, at) => ({
    ...event,
    recordedtime: at % 2 === 0 ? since : until,
  }));
  const { exitCode, found } = await verify(eventFile(context, [...one, ...mixed]));
  assert.equal(exitCode, 5);
  assert.ok(found.includes("together 1/1"), found.join());
});

test("a record that is a dead letter is neither missing nor a hole", async (context) => {
  const journal = simulatedJournal(context);
  const all = await publishedEvents(journal);
  const victim = all[20];
  assert.ok(victim);
  const events = eventFile(
    context,
    all.filter(({ sequence }) => sequence !== victim.sequence),
  );
  assert.equal((await verify("--journal", journal, events)).exitCode, 4);
  const state = temporaryDirectory(context);
  const { deadLetterDirectory } = stateLayout(state);
  mkdirSync(deadLetterDirectory, { recursive: true });
  const letters = new DeadLetterFile(join(deadLetterDirectory, "kafka.ndjson"));
  const letter = { sink: "kafka", reason: "rejected", message: "too large" } as const;
  await letters.append({ ...letter, time: "2026-01-05T00:00:00.000Z", event: victim });
  await letters.close();
  const { exitCode, result } = await verify("--journal", journal, "--state", state, events);
  assert.equal(exitCode, 0);
  assert.deepEqual(
    [result.evidence.comparison?.deadLetters, result.evidence.explainedHoles],
    [1, 1],
  );
});

test("copies and replays with the same body are no change, and with another one they are", async (context) => {
  const events = await publishedEvents(simulatedJournal(context));
  const replays = events.map((event) => ({ ...event, replayed: true as const }));
  const sound = await verify(eventFile(context, [...events, ...replays]));
  assert.deepEqual([sound.exitCode, sound.found], [0, []]);
  const third = replays[3];
  assert.ok(third);
  const double = { ...third, data: { ...third.data, note: "\u001b[31m" } };
  const file = eventFile(context, [...events, double]);
  const { exitCode, found } = await verify(file);
  assert.equal(exitCode, 5);
  assert.deepEqual(found, [`double 1/${Number(third.sequence?.slice(11))}`]);
  const { stdout } = await runCli("verify", file);
  assert.match(stdout, /^complete, 1 sign of change$/m);
});

/** An event that no record is behind, in the place of a number of an epoch. */
function madeUp(event: CertwireEvent, sequence: number, changes: Partial<CertwireEvent> = {}) {
  const number = String(sequence).padStart(20, "0");
  return {
    ...event,
    id: event.id.replace(/-\d+-/, `-${sequence}-`),
    sequence: (event.sequence ?? "").replace(/\d{20}$/, number),
    previoushash: "5".repeat(64),
    recordhash: "6".repeat(64),
    ...changes,
  };
}

test("an event that somebody made up fits in no chain, and has no record in the journal", async (context) => {
  const journal = simulatedJournal(context, { epochs: 1 });
  const all = await publishedEvents(journal);
  const [victim, last] = [all[20], all.at(-2)];
  assert.ok(victim && last);
  const sequenceOf = ({ sequence = "" }: CertwireEvent) => Number(sequence.slice(11));
  // In the place of another one.
  const replaced = all.map((event) =>
    event === victim ? madeUp(event, sequenceOf(event)) : event,
  );
  const alone = await verify(eventFile(context, replaced));
  assert.equal(alone.exitCode, 5);
  assert.ok(alone.found.includes(`link 1/${sequenceOf(victim)}`), alone.found.join());
  // Behind the newest one, whose end nobody knows.
  const sequence = sequenceOf(last) + 1;
  const added = [
    ...all.slice(0, -1),
    madeUp(last, sequence, { previoushash: last.recordhash ?? "" }),
  ];
  const end = eventFile(context, added);
  assert.deepEqual((await verify(end)).found, []);
  const both = await verify("--journal", journal, end);
  assert.equal(both.exitCode, 5);
  assert.equal(both.found[0], `content 1/${sequence}`);
});

test("a gap event that somebody made up hides a hole from the numbers, and not from the journal", async (context) => {
  const journal = simulatedJournal(context, { epochs: 1 });
  const all = await publishedEvents(journal);
  const victim = all[20];
  assert.ok(victim);
  const sequence = Number(victim.sequence?.slice(11));
  const { previoushash: _p, recordhash: _r, contentid: _c, subject: _s, ...plain } = victim;
  const gap = {
    ...plain,
    id: victim.id.replace(/-\d+$/, "-65535"),
    type: "io.certwire.journal.gap.v1",
    dataschema: "urn:certwire:schema:journal.gap:v1",
    data: {
      ca: victim.data["ca"],
      reason: "corrupt",
      epochId: victim.id.slice(0, 32),
      epochNumber: 1,
      firstSequence: String(sequence),
      lastSequence: String(sequence),
      problems: [],
    },
  };
  const events = eventFile(
    context,
    all.map((event) => (event === victim ? gap : event)),
  );
  const alone = await verify(events);
  assert.deepEqual([alone.exitCode, alone.found], [0, []], "nothing else shows it");
  const both = await verify("--journal", journal, events);
  assert.deepEqual(
    [both.exitCode, both.found],
    [5, [`content 1/${sequence}`, `missing 1/${sequence}`]],
  );
  assert.equal(both.result.isComplete, false);
  const { stdout } = await runCli("verify", "--journal", journal, events);
  assert.match(stdout, /^records without an event, 1 sign of change$/m);
});

test("events after the end of a copy are counted, and after that of a journal they are findings", async (context) => {
  const journal = simulatedJournal(context, { epochs: 1 });
  const copy = join(temporaryDirectory(context), "copy");
  cpSync(journal, copy, { recursive: true });
  recordOn(journal, { count: 5 });
  const all = await publishedEvents(journal);
  const newer = all.filter(({ sequence = "" }) => /^0+2-/.test(sequence));
  const events = eventFile(context, all);
  const whole = await verify("--journal", journal, events);
  assert.deepEqual([whole.exitCode, whole.result.evidence.comparison?.newer], [0, 0]);
  const { exitCode, found } = await verify("--journal", copy, events);
  assert.equal(exitCode, 5);
  assert.equal(found.length, newer.length);
  assert.equal(found[0], "unknown 2/2");
  const ofCopy = await verify("--journal", copy, "--copy", events);
  assert.deepEqual([ofCopy.exitCode, ofCopy.found], [0, []]);
  assert.equal(ofCopy.result.evidence.comparison?.newer, newer.length);
  const { stdout } = await runCli("verify", "--journal", copy, "--copy", events);
  assert.match(stdout, /^ {2}\d+ events newer than the copy of the journal, not compared$/m);
});

test("events of the database and findings are counted, and one with the id of a record is foreign", async (context) => {
  const journal = simulatedJournal(context, { epochs: 1 });
  const all = await publishedEvents(journal);
  const real = all.find(({ contentid }) => contentid !== undefined);
  assert.ok(real);
  const { sequence: _s, previoushash: _p, recordhash: _r, ...plain } = real;
  const row = { ...plain, id: `db-${real.contentid}`, origin: "database" as const };
  const finding = findingEvent(sampleFinding, {});
  const file = eventFile(context, [...all, row, finding, { ...row, id: real.id }]);
  const { exitCode, found, result } = await verify("--journal", journal, file);
  assert.deepEqual([exitCode, found, result.database, result.foreign], [0, [], 2, 1]);
  const { stdout } = await runCli("verify", "--journal", journal, file);
  assert.match(stdout, /^2 events of the CA's database or of comparisons with it: not checked$/m);
  const only = await runCli("verify", eventFile(context, [row]));
  assert.equal(only.exitCode, 65);
  assert.match(only.stderr, /has 1 line, but no event of a journal/);
});

test("events of every kind are events of Certwire", async (context) => {
  const golden = readGoldenEvents().map(({ event }) => event);
  const { result } = await verify(eventFile(context, golden));
  assert.deepEqual([result.read, result.foreign, result.later], [golden.length, 0, 0]);
});

test("options that make no sense are refused with what to do", async () => {
  const { exitCode, stderr } = await runCli("verify", "--state", "x", "events.ndjson");
  assert.equal(exitCode, 2);
  assert.match(stderr, /--state is for --journal/);
  const copy = await runCli("verify", "--copy", "events.ndjson");
  assert.equal(copy.exitCode, 2);
  assert.match(copy.stderr, /--copy is for --journal/);
  assert.equal((await runCli("verify")).exitCode, 2);
});
