import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { CertwireError } from "../../../src/errors/certwire-error.ts";
import type {
  HealthFacts,
  JournalFacts,
  ReconcileFacts,
  SinkFacts,
} from "../../../src/health/facts.ts";
import { assessHealth } from "../../../src/health/health.ts";
import { healthPage } from "../../../src/health/health-page.ts";
import { type HealthCode, healthReasons } from "../../../src/health/reasons.ts";
import { PipelineMonitor } from "../../../src/pipeline/monitor.ts";
import type { PipelineTrouble } from "../../../src/pipeline/trouble.ts";
import { collectLog } from "../../support/collect-log.ts";

const now = Date.parse("2026-06-15T12:00:00Z");
const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000];

const journal: JournalFacts = {
  capacityBytes: 1000,
  maxBytes: 1000,
  freeBytes: 1000,
  minFreeBytes: 100,
  writerMinFreeBytes: 50,
  isWriterAlive: true,
  newestMs: now - minute,
};

function facts(sink: Partial<SinkFacts>, others: Partial<HealthFacts> = {}): HealthFacts {
  return { service: "running", sinks: [{ name: "kafka", ...sink }], journal, ...others };
}

function trouble(part: PipelineTrouble["part"], more: Partial<PipelineTrouble> = {}) {
  return { troubles: [{ part, isAlarm: false, forMs: 5 * second, error: "why", ...more }] };
}

function ofJournal(more: Partial<JournalFacts>): HealthFacts {
  return facts({}, { journal: { ...journal, ...more } });
}

function ofCertificate(endsIn: number): HealthFacts {
  return facts({ certificates: [{ name: "client.pem", notAfterMs: now + endsIn }] });
}

const noFindings = { missing: 0, state: 0, changed: 0, unknown: 0, deleted: 0 };

function ofReconcile(more: Partial<ReconcileFacts>): HealthFacts {
  return facts({}, { reconcile: { isRunning: false, failures: 0, ...more } });
}

const beat = {
  timeMs: now - 60 * second,
  condition: "ok",
  droppedRecords: 7,
  waitingBytes: 0,
} as const;
const badBeat = { ...beat, condition: "no-space" } as const;

const deadKind = { kind: "crl.issued", count: 3, forMs: 2 * day, newestMs: minute } as const;
const auth = { kind: "auth", code: "CERTWIRE_SINK_AUTH", isAlarm: true } as const;

const cases: readonly [
  about: string,
  facts: HealthFacts,
  code: HealthCode | null,
  state: "degraded" | "failing" | "ok",
][] = [
  ["a service that does not run", facts({}, { service: "stopped" }), "service-stopped", "failing"],
  [
    "a service that has written nothing for more than a minute",
    facts({}, { service: "running", serviceWroteMs: now - 61_000 }),
    "service-silent",
    "failing",
  ],
  [
    "a service that wrote a minute ago",
    facts({}, { service: "running", serviceWroteMs: now - 60_000 }),
    null,
    "ok",
  ],
  ["a service that cannot be seen", facts({}, { service: "unknown" }), null, "ok"],
  ["an unreadable state", facts({}, { stateError: "EACCES" }), "state-unreadable", "failing"],
  [
    "a certificate of the endpoint that has ended",
    facts({}, { certificates: [{ name: "http.pem", notAfterMs: now - 1 }] }),
    "certificate-ends",
    "failing",
  ],
  ["unreadable files of a sink", facts({ stateError: "EACCES" }), "state-unreadable", "failing"],
  ["an unreadable journal", facts({}, { journalError: "x" }), "journal-unreadable", "failing"],
  ["a source that fails", facts(trouble("source")), "journal-unreadable", "degraded"],
  ["a sink that cannot be opened", facts(trouble("open")), "sink-unreachable", "degraded"],
  [
    "a sink that could not be opened ten times",
    facts(trouble("open", { isAlarm: true })),
    "sink-unreachable",
    "failing",
  ],
  ["a refused opening", facts(trouble("open", auth)), "sink-refused", "failing"],
  ["a refused publish", facts(trouble(3, auth)), "sink-refused", "failing"],
  ["a lost connection", facts(trouble(3, { kind: "reset" })), "sink-unreachable", "degraded"],
  ["a busy broker", facts(trouble(0, { kind: "retry-identical" })), "sink-busy", "degraded"],
  [
    "events without a queue",
    facts(trouble(0, { kind: "unroutable", isAlarm: true })),
    "events-unroutable",
    "failing",
  ],
  ["an event that is about to be a dead letter", facts(trouble(0, { kind: "poison" })), null, "ok"],
  ["changing lanes", facts(trouble("lanes")), "lanes-changing", "degraded"],
  ["a record that waits", facts(trouble("record", { isAlarm: true })), "record-waits", "failing"],
  [
    "a checkpoint that cannot be written",
    facts(trouble("checkpoint", { isAlarm: true })),
    "checkpoint-unwritable",
    "failing",
  ],
  [
    "routed kinds that cannot be written",
    facts(trouble("routed kinds", { isAlarm: true })),
    "routed-kinds-unwritable",
    "failing",
  ],
  [
    "a dead letter that cannot be written",
    facts(trouble("dead letter")),
    "dead-letter-unwritable",
    "degraded",
  ],
  [
    "full dead letters",
    facts(trouble("dead letter", { isAlarm: true, code: "CERTWIRE_DEAD_LETTERS_FULL" })),
    "dead-letters-full",
    "failing",
  ],
  ["a blocked broker", facts({ blockedForMs: 599_999 }), "sink-blocked", "degraded"],
  ["a broker blocked for ten minutes", facts({ blockedForMs: 600_000 }), "sink-blocked", "failing"],
  [
    "a kind with three dead letters in a row",
    facts({ deadKinds: [{ ...deadKind, newestMs: day - 1 }] }),
    "kind-dead-lettered",
    "failing",
  ],
  [
    "a kind whose dead letters are a day old",
    facts({ deadKinds: [{ ...deadKind, newestMs: day }] }),
    null,
    "ok",
  ],
  [
    "a kind with two dead letters in a row",
    facts({ deadKinds: [{ ...deadKind, count: 2 }] }),
    null,
    "ok",
  ],
  ["a new dead letter", facts({ deadLetterAgeMs: 599_999 }), "dead-letters", "degraded"],
  ["an old dead letter", facts({ deadLetterAgeMs: 600_000 }), null, "ok"],
  ["many dead letters", facts({ deadLetterFill: 0.8 }), "dead-letters-near-limit", "degraded"],
  ["few dead letters", facts({ deadLetterFill: 0.79 }), null, "ok"],
  ["a damaged checkpoint", facts({ isCheckpointDamaged: true }), "checkpoint-damaged", "degraded"],
  ["a backlog of 15 minutes", facts({ backlogMs: 900_000 }), null, "ok"],
  ["a longer backlog", facts({ backlogMs: 900_001 }), "sink-behind", "degraded"],
  ["a small backlog", facts({ backlogBytes: 499 }), null, "ok"],
  ["a backlog of half the space", facts({ backlogBytes: 500 }), "journal-near-limit", "degraded"],
  ["a backlog near the limit", facts({ backlogBytes: 750 }), "journal-near-limit", "failing"],
  ["a small volume", ofJournal({ freeBytes: 99 }), "volume-nearly-full", "degraded"],
  ["a full volume", ofJournal({ freeBytes: 49 }), "volume-nearly-full", "failing"],
  ["a volume that suffices", ofJournal({ freeBytes: 100 }), null, "ok"],
  ["a writer that is gone", ofJournal({ isWriterAlive: false }), "writer-gone", "failing"],
  ["a CA that was stopped", ofJournal({ isWriterAlive: false, isCaStopped: true }), null, "ok"],
  [
    "a CA stopped long ago",
    ofJournal({ isCaStopped: true, newestMs: now - 300 * day }),
    null,
    "ok",
  ],
  ["a sign of life a minute ago", ofJournal({ writerBeat: beat }), null, "ok"],
  [
    "a longer silence",
    ofJournal({ writerBeat: { ...beat, timeMs: beat.timeMs - 1 } }),
    "writer-stuck",
    "failing",
  ],
  [
    "the silence of a writer that has ended",
    ofJournal({ writerBeat: { ...badBeat, timeMs: 0 }, isWriterAlive: false, isCaStopped: true }),
    null,
    "ok",
  ],
  ["a writer without space", ofJournal({ writerBeat: badBeat }), "writer-degraded", "failing"],
  [
    "a writer whose disk fails",
    ofJournal({ writerBeat: { ...beat, condition: "io-error", osError: 5 } }),
    "writer-degraded",
    "failing",
  ],
  [
    "a writer that drops records",
    ofJournal({ writerBeat: { ...beat, condition: "dropping" } }),
    "writer-degraded",
    "failing",
  ],
  [
    "a writer that waits for its disk",
    ofJournal({ writerBeat: { ...beat, condition: "hangs" } }),
    "writer-degraded",
    "degraded",
  ],
  [
    "a condition of a later version",
    ofJournal({ writerBeat: { ...beat, condition: "unknown" } }),
    null,
    "ok",
  ],
  ["eight quiet days", ofJournal({ newestMs: now - 8 * day }), null, "ok"],
  ["more than that", ofJournal({ newestMs: now - 8 * day - 1 }), "no-events", "degraded"],
  ["a new gap", ofJournal({ gapMs: now - day + 1 }), "gap-seen", "degraded"],
  ["a gap of yesterday", ofJournal({ gapMs: now - day }), null, "ok"],
  [
    "a clock that is 5 minutes off",
    ofJournal({ newestMs: now + 300_000 }),
    "clock-behind",
    "degraded",
  ],
  [
    "a comparison that failed",
    ofReconcile({ failure: { sinceMs: now, detail: "refused" } }),
    "reconcile-failed",
    "degraded",
  ],
  ["a comparison that is due", ofReconcile({ overdueMs: now }), null, "ok"],
  ["one that is overdue", ofReconcile({ overdueMs: now - 1 }), "reconcile-overdue", "degraded"],
  [
    "what a backfill ends",
    ofReconcile({ open: { ...noFindings, missing: 1 } }),
    "reconcile-findings",
    "degraded",
  ],
  [
    "what is too much to be published",
    ofReconcile({ open: noFindings, unlisted: 1, unlistedMissing: 1 }),
    "reconcile-findings",
    "degraded",
  ],
  [
    "very many rows that somebody has deleted",
    ofReconcile({ open: { ...noFindings, deleted: 2000 }, unlisted: 9000, unlistedDeleted: 9000 }),
    null,
    "ok",
  ],
  [
    "what no backfill ends and is too much, for 7 days",
    ofReconcile({
      open: { ...noFindings, changed: 2000 },
      unlisted: 10,
      unlistedMissing: 0,
      lastingMs: now - 7 * day,
    }),
    null,
    "ok",
  ],
  [
    "what a backfill ends and is too much, beside it",
    ofReconcile({ open: noFindings, unlisted: 11, unlistedMissing: 1, lastingMs: now - 7 * day }),
    "reconcile-findings",
    "degraded",
  ],
  [
    "a finding of the last 7 days that no backfill ends",
    ofReconcile({ open: { ...noFindings, changed: 1 }, lastingMs: now - 7 * day + 1 }),
    "reconcile-findings",
    "degraded",
  ],
  [
    "an older one",
    ofReconcile({ open: { ...noFindings, changed: 1 }, lastingMs: now - 7 * day }),
    null,
    "ok",
  ],
  [
    "a report that a sink does not get for an hour",
    ofReconcile({ unpublished: [{ sink: "kafka", reports: 1, sinceMs: now - 3600 * second }] }),
    "reconcile-unpublished",
    "degraded",
  ],
  [
    "one that waits for less",
    ofReconcile({ unpublished: [{ sink: "kafka", reports: 1, sinceMs: now - 3599 * second }] }),
    null,
    "ok",
  ],
  ["rows that were deleted", ofReconcile({ open: { ...noFindings, deleted: 9 } }), null, "ok"],
  ["a clock that is nearly right", ofJournal({ newestMs: now + 299_999 }), null, "ok"],
  ["a certificate for 30 days", ofCertificate(30 * day), null, "ok"],
  ["one that ends sooner", ofCertificate(30 * day - 1), "certificate-ends", "degraded"],
  ["one that has ended", ofCertificate(0), "certificate-ends", "failing"],
];

for (const [about, given, code, state] of cases) {
  test(`${about} is ${code === null ? "not a reason" : `${state}: ${code}`}`, () => {
    const health = assessHealth(given, now);
    assert.equal(health.state, state);
    assert.deepEqual(
      health.reasons.map((reason) => [reason.code, reason.state]),
      code === null ? [] : [[code, state]],
    );
  });
}

test("every reason of the table is reached by a case", () => {
  const reached = new Set(cases.map(([, , code]) => code));
  assert.deepEqual(
    Object.keys(healthReasons).filter((code) => !reached.has(code as HealthCode)),
    [],
  );
});

test("what is not known is not a reason, and an empty journal is ok", () => {
  assert.deepEqual(assessHealth({ sinks: [] }, now), { state: "ok", reasons: [] });
  const { newestMs: _, ...empty } = journal;
  const stopped = { ...empty, isWriterAlive: false };
  assert.equal(assessHealth({ sinks: [], journal: stopped }, now).state, "ok");
});

test("a reason says which sink, since when, what exactly, and what to do", () => {
  const [reason] = assessHealth(facts(trouble("open", auth)), now).reasons;
  assert.deepEqual(reason, {
    code: "sink-refused",
    state: "failing",
    sink: "kafka",
    since: "2026-06-15T11:59:55.000Z",
    detail: "why",
    meaning: healthReasons["sink-refused"].meaning,
    hint: healthReasons["sink-refused"].hint,
    docs: "reference/health.md#sink-refused",
    runbook: "CertwireSinkRefused",
  });
});

test("what is said of a degraded writer: why, what waits, and what is lost", () => {
  const writerBeat = { ...badBeat, osError: 28, waitingBytes: 2048, droppedRecords: 1 };
  const [reason] = assessHealth(ofJournal({ writerBeat }), now).reasons;
  assert.equal(
    reason?.detail,
    "no space: its volume or one of its limits is full (system error 28); 2.0 KiB wait in memory; 1 record dropped since its start",
  );
});

test("of a writer whose lock cannot be seen, a fresh sign of life is believed and an old one says nothing", () => {
  const { isWriterAlive: _, ...unseen } = journal;
  const codes = (writerBeat: JournalFacts["writerBeat"]) =>
    assessHealth(
      { sinks: [], journal: { ...unseen, ...(writerBeat && { writerBeat }) } },
      now,
    ).reasons.map(({ code }) => code);
  assert.deepEqual(codes(badBeat), ["writer-degraded"]);
  assert.deepEqual(codes({ ...badBeat, timeMs: now - hour }), []);
});

for (const code of ["CERTWIRE_SINK_AUTH", "CERTWIRE_SINK_CONFIG"] as const) {
  test(`the first opening that is refused with ${code} is failing`, () => {
    const monitor = new PipelineMonitor(collectLog().log);
    monitor.openFailed(new CertwireError(code, "no"), 1, 100);
    const { state, reasons } = assessHealth(facts(monitor.troubles()), now);
    assert.equal(state, "failing");
    assert.deepEqual(
      reasons.map(({ code: found }) => found),
      ["sink-refused"],
    );
  });
}

test("an opening that fails otherwise is degraded until the tenth", () => {
  const monitor = new PipelineMonitor(collectLog().log);
  const stateAfter = (failures: number): string => {
    monitor.openFailed(new Error("ECONNREFUSED"), failures, 100);
    return assessHealth(facts(monitor.troubles()), now).state;
  };
  assert.deepEqual([1, 9, 10].map(stateAfter), ["degraded", "degraded", "failing"]);
});

test("several lanes that fail alike are one reason: the worst error, the longest time", () => {
  const lane = { part: 0, kind: "reset", isAlarm: false, forMs: hour, error: "first" } as const;
  const worst = { ...lane, part: 1, isAlarm: true, forMs: minute, error: "worst" } as const;
  const { reasons } = assessHealth(facts({ troubles: [lane, worst, { ...lane, part: 2 }] }), now);
  assert.equal(reasons.length, 1);
  assert.equal(reasons[0]?.state, "failing");
  assert.equal(reasons[0].detail, "worst");
  assert.equal(reasons[0].since, "2026-06-15T11:00:00.000Z");
});

test("the worst reason decides and comes first", () => {
  const sinks = [
    { name: "slow", backlogMs: day },
    { name: "refused", ...trouble("open", auth) },
  ];
  const { state, reasons } = assessHealth({ sinks, journal }, now);
  assert.equal(state, "failing");
  assert.deepEqual(
    reasons.map(({ code, sink }) => `${sink}: ${code}`),
    ["refused: sink-refused", "slow: sink-behind"],
  );
});

test("the limits of time are those of the configuration", () => {
  const quiet = ofJournal({ newestMs: now - 3 * hour });
  assert.equal(assessHealth(quiet, now, { backlogSeconds: 1, quietHours: 2 }).state, "degraded");
  assert.equal(assessHealth(quiet, now, { backlogSeconds: 1, quietHours: 4 }).state, "ok");
  const always = ofJournal({ newestMs: 0 });
  assert.equal(assessHealth(always, now, { backlogSeconds: 1, quietHours: 0 }).state, "ok");
  const late = facts({ backlogMs: 1001 });
  assert.equal(assessHealth(late, now, { backlogSeconds: 1, quietHours: 0 }).state, "degraded");
});

test("the reference page of health is the one that the table makes", () => {
  assert.equal(readFileSync("docs/reference/health.md", "utf8"), healthPage());
});
