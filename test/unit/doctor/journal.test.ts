import assert from "node:assert/strict";
import { test } from "node:test";
import { type JournalLinkFacts, judgeJournal } from "../../../src/doctor/journal.ts";
import { defaultHealthLimits, type JournalFacts } from "../../../src/health/facts.ts";
import { assessHealth } from "../../../src/health/health.ts";

const now = Date.parse("2026-06-15T12:00:00Z");
const gibibyte = 2 ** 30;
const health: JournalFacts = {
  capacityBytes: 10 * gibibyte,
  maxBytes: 10 * gibibyte,
  freeBytes: 50 * gibibyte,
  minFreeBytes: 2 * gibibyte,
  writerMinFreeBytes: gibibyte,
  isWriterAlive: true,
  newestMs: now - 1000,
};
const good: JournalLinkFacts = {
  directory: String.raw`D:\Certwire\journal`,
  moduleDirectory: String.raw`d:\certwire\journal\ `.trim(),
  rights: { distrust: "", isReadableByOthers: false, isWritableByOthers: false, isDeletable: true },
  limits: { service: 2 * gibibyte, module: gibibyte },
  shown: {
    directory: String.raw`D:\Certwire\journal`,
    epochs: 1,
    segments: 2,
    bytes: 4096,
    capacityBytes: 10 * gibibyte,
    maxBytes: 10 * gibibyte,
    minFreeBytes: gibibyte,
    freeBytes: 50 * gibibyte,
    newestSegments: [],
    newest: { epochNumber: 1, epochId: "0", sequence: "7", time: "2026-06-15T11:59:59.000Z" },
    writer: "running",
    durations: {
      append: { count: 1000, p50Us: 10, p99Us: 80, p999Us: 90, maxUs: 100 },
      write: { count: 1000 },
      flush: { count: 1000, p50Us: 10, p99Us: 900, p999Us: 900, maxUs: 1000 },
    },
  },
};

function judge(facts: Partial<JournalLinkFacts>, journal: Partial<JournalFacts> = {}) {
  const { reasons } = assessHealth(
    { sinks: [], journal: { ...health, ...journal } },
    now,
    defaultHealthLimits,
  );
  return judgeJournal({ ...good, ...facts }, reasons, now);
}

/** What is not ok, as `check state`. */
function bad(found: ReturnType<typeof judge>): string[] {
  return found.filter(({ state }) => state !== "ok").map(({ check, state }) => `${check} ${state}`);
}

test("a journal with space, a writer and quick appends is ok in every check", () => {
  const found = judge({});
  assert.deepEqual(bad(found), []);
  assert.match(found[2]?.seen ?? "", /the service leaves 2\.0 GiB free, the module 1\.0 GiB/);
  assert.match(found[3]?.seen ?? "", /the module holds the journal, the newest record is 1 s old/);
});

test("another directory than the module's is an error that names both", () => {
  const [found] = judge({ moduleDirectory: String.raw`C:\ProgramData\Certwire\journal` });
  assert.equal(found?.state, "error");
  assert.match(found.seen, /reads D:\\Certwire.*writes C:\\ProgramData/);
});

test("what the module refuses is an error, readers and missing rights are warnings", () => {
  const rights = { isReadableByOthers: false, isWritableByOthers: false, isDeletable: true };
  const state = (more: Partial<NonNullable<JournalLinkFacts["rights"]>>) =>
    bad(judge({ rights: { ...rights, ...more } }));
  const link = String.raw`C:\ProgramData is a reparse point (a link)`;
  assert.deepEqual(state({ distrust: link }), ["journal-rights error"]);
  assert.deepEqual(state({ isWritableByOthers: true }), ["journal-rights error"]);
  assert.deepEqual(state({ isReadableByOthers: true }), ["journal-rights warn"]);
  assert.deepEqual(state({ isDeletable: false }), ["journal-rights warn"]);
});

test("little free space is a warning at the limit of the service, an error at that of the module", () => {
  assert.deepEqual(bad(judge({}, { freeBytes: 1.5 * gibibyte })), ["journal-space warn"]);
  assert.deepEqual(bad(judge({}, { freeBytes: 0.5 * gibibyte })), ["journal-space error"]);
});

test("a writer that is gone is an error, a lost event a warning", () => {
  assert.deepEqual(bad(judge({}, { isWriterAlive: false })), ["journal-writer error"]);
  assert.deepEqual(bad(judge({}, { gapMs: now - 1000 })), ["journal-gaps warn"]);
});

test("slow appends are a warning, and what is not flushed for 5 s is an error", () => {
  const { shown } = good;
  assert.ok(shown?.durations);
  const append = { count: 1000, p99Us: 2097 };
  const slow = { ...shown, durations: { ...shown.durations, append } };
  assert.deepEqual(bad(judge({ shown: slow })), ["journal-appends warn"]);
  const few = { ...slow, durations: { ...slow.durations, append: { count: 10, p99Us: 9000 } } };
  assert.deepEqual(bad(judge({ shown: few })), []);
  assert.deepEqual(bad(judge({ unflushedMs: 4999 })), []);
  assert.deepEqual(bad(judge({ unflushedMs: 5000 })), ["journal-appends error"]);
});

test("a journal that cannot be read is one error, and the rest is skipped", () => {
  const { shown: _, rights: __, ...rest } = good;
  const { reasons } = assessHealth({ sinks: [], journalError: "ENOENT" }, now);
  assert.deepEqual(bad(judgeJournal(rest, reasons, now)), [
    "journal-directory error",
    "journal-rights skipped",
    "journal-space skipped",
    "journal-writer skipped",
    "journal-appends skipped",
    "journal-gaps skipped",
  ]);
});
