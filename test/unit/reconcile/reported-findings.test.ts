import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { EventFilter } from "../../../src/events/event-filter.ts";
import { findingEvent, type ReportedFinding } from "../../../src/events/finding-event.ts";
import { shrinkEvent } from "../../../src/events/shrink-event.ts";
import { PipelineMonitor } from "../../../src/pipeline/monitor.ts";
import { Pace } from "../../../src/reconcile/pace.ts";
import { FindingsPlace, publishFindings } from "../../../src/reconcile/publish-findings.ts";
import type { Finding } from "../../../src/reconcile/reconcile.ts";
import { type CompleteRun, ReportedFindings } from "../../../src/reconcile/reported-findings.ts";
import type { PublishOutcome } from "../../../src/sinks/sink.ts";
import type { DeadLetter } from "../../../src/state/dead-letter.ts";
import { collectLog } from "../../support/collect-log.ts";

const ca = { id: "b".repeat(64), name: "Contoso" };
const time = "2026-03-01T12:00:00.000Z";

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "certwire-findings-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function missing(requestId: number): Finding {
  return { class: "missing", requestId, missing: ["certificate.issued"], time };
}

async function* each(findings: readonly Finding[]): AsyncGenerator<Finding> {
  yield* findings;
}

/** A comparison that has found this, and looked at everything. */
function runOf(findings: readonly Finding[], changes: Partial<CompleteRun> = {}): CompleteRun {
  return {
    startedMs: 1000,
    endedMs: 2000,
    rows: 10,
    ca,
    findings: each(findings),
    hasCompared: () => true,
    acknowledged: 0,
    ...changes,
  };
}

function told({ state, requestId, crl, number }: ReportedFinding): string {
  return `${number} ${state} ${requestId ?? crl}`;
}

function since(reported: ReportedFindings, number: number): string[] {
  return reported
    .after(number)
    .map((report) => told({ ...report, number: report.number - number }));
}

test("a finding is reported once, however often it is found, and once more when it is gone", async (t) => {
  const path = join(directory(t), "reported.ndjson");
  const first = await ReportedFindings.open(path);
  const crl: Finding = { class: "missing", crl: "crl/0/base/7", missing: ["crl.issued"], time };
  const taken = await first.take(runOf([missing(3), crl, missing(3)]));
  assert.deepEqual(taken, { opened: 2, resolved: 0, unlisted: 0 });
  const [begin = 0] = first.after(0).map(({ number }) => number);
  const before = begin - 1;
  assert.deepEqual(since(first, before), ["1 open 3", "2 open crl/0/base/7"]);
  assert.deepEqual([...first.openAbout], [3, "crl/0/base/7"]);
  assert.deepEqual(first.openRequests, [3]);
  assert.equal(first.openOfClass.missing, 2);

  const again = await ReportedFindings.open(path);
  assert.deepEqual(again.after(0), first.after(0));
  await again.take(runOf([missing(3), crl], { startedMs: 5000 }));
  assert.equal(again.state.last?.startedMs, 5000);
  assert.equal(again.after(0).length, 2);
  await again.take(runOf([crl], { endedMs: 9000 }));
  assert.deepEqual(since(again, before), ["1 open 3", "2 open crl/0/base/7", "3 resolved 3"]);
  assert.equal(again.openOfClass.missing, 1);
  await again.take(runOf([crl]));
  assert.equal(again.after(0).length, 3);

  // What comes back is another report, with another id.
  await again.take(runOf([missing(3), crl]));
  assert.deepEqual(since(again, before + 3), ["1 open 3"]);
  const ids = again.after(0).map((report) => findingEvent(report, {}).id);
  assert.equal(new Set(ids).size, 4);
});

test("only a comparison that has looked at a request again, of the same CA, resolves its finding", async (t) => {
  const reported = await ReportedFindings.open(join(directory(t), "reported.ndjson"));
  await reported.take(runOf([missing(3), missing(4)]));
  const onlyFour = ({ requestId }: ReportedFinding) => requestId === 4;
  await reported.take(runOf([], { hasCompared: onlyFour, ca: { ...ca, name: "Other" } }));
  assert.equal(reported.openOfClass.missing, 2);
  const taken = await reported.take(runOf([], { hasCompared: onlyFour }));
  assert.deepEqual(taken, { opened: 0, resolved: 1, unlisted: 0 });
  assert.deepEqual(reported.openRequests, [3]);
});

test("another class, another step or another time is another finding", async (t) => {
  const reported = await ReportedFindings.open(join(directory(t), "reported.ndjson"));
  const same = { requestId: 3, time } as const;
  await reported.take(
    runOf([
      { ...same, class: "missing", missing: ["certificate.issued"] },
      { ...same, class: "state", missing: ["certificate.issued"] },
      { ...same, class: "missing", missing: ["certificate.issued", "certificate.revoked"] },
      { ...same, class: "missing", missing: ["certificate.issued"], time: "2026-03-02T12:00:00Z" },
    ]),
  );
  assert.equal(reported.after(0).length, 4);
});

test("a report is kept until each sink has it, and one of an open finding until it is resolved", async (t) => {
  const reported = await ReportedFindings.open(join(directory(t), "reported.ndjson"));
  await reported.take(runOf([missing(3), missing(4)]));
  const last = reported.after(0).at(-1)?.number ?? 0;
  await reported.take(runOf([missing(4)], { acknowledged: last }));
  const left = reported.after(0).map(({ state, requestId }) => [state, requestId]);
  assert.deepEqual(left, [
    ["open", 4],
    ["resolved", 3],
  ]);
  await reported.take(runOf([missing(4)], { acknowledged: last + 1 }));
  assert.deepEqual(reported.openRequests, [4]);
  assert.equal(reported.after(0).length, 1);
});

test("a class that has too many findings does not keep out those of another", async (t) => {
  const reported = await ReportedFindings.open(join(directory(t), "reported.ndjson"));
  const deleted = Array.from({ length: 2500 }, (_, index): Finding => {
    return { class: "deleted", requestId: index + 10, missing: [], time };
  });
  const taken = await reported.take(runOf([...deleted, missing(3)]));
  assert.deepEqual(taken, { opened: 2001, resolved: 0, unlisted: 500 });
  assert.equal(reported.state.last?.unlisted, 500);
  assert.deepEqual(reported.openRequests, [3], "rows that are gone are not asked for again");
});

test("findings that cannot be read change nothing, and a damaged file says what to do", async (t) => {
  const path = join(directory(t), "reported.ndjson");
  const reported = await ReportedFindings.open(path);
  const text = readFileSync(path, "utf8");
  async function* broken(): AsyncGenerator<Finding> {
    yield missing(3);
    throw new Error("cut off");
  }
  await assert.rejects(reported.take(runOf([], { findings: broken() })), /cut off/);
  assert.equal(reported.state.last, undefined);
  assert.equal(readFileSync(path, "utf8"), text);
  writeFileSync(path, text.replace("1", "2"));
  await assert.rejects(ReportedFindings.open(path), {
    code: "CERTWIRE_CHECKPOINT_FAILED",
    hint: /delete it/,
  });
});

/** A sink that a test can let fail, and what it has taken. */
class KeepingSink {
  readonly name = "kept";
  readonly kind = "kept";
  readonly limits = { batchEvents: 2, batchBytes: 1e6, lingerMs: 0, maxEventBytes: 1e5 };
  readonly lanes = 1;
  readonly ids: string[] = [];
  refused = new Set<string>();

  async open(): Promise<void> {
    // Nothing to open.
  }

  laneOf(): number {
    return 0;
  }

  async publish(_lane: number, batch: readonly { readonly id: string }[]): Promise<PublishOutcome> {
    const at = batch.findIndex(({ id }) => this.refused.has(id));
    const taken = at < 0 ? batch : batch.slice(0, at);
    this.ids.push(...taken.map(({ id }) => id));
    if (at < 0) return { acknowledged: batch.length };
    const failure = { kind: "poison", cause: new Error("refused") } as const;
    return { acknowledged: at, failure };
  }

  async close(): Promise<void> {
    // Nothing to close.
  }
}

async function publish(
  reported: ReportedFindings,
  path: string,
  sink: KeepingSink,
  filter = new EventFilter({}),
): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  const pace = new Pace({
    perSecond: 1e6,
    isLiveBehind: async () => false,
    sleep: async (_, signal) => signal.throwIfAborted(),
  });
  const options = { reported, place: await FindingsPlace.open(path), events: {}, filter, pace };
  await publishFindings(
    options,
    {
      sink,
      limits: {
        maxInFlightEvents: 100,
        maxInFlightBytes: 1e7,
        retryInitialMs: 1,
        retryMaxMs: 5,
        deadLetterAfterSeconds: 1,
        maxDeadLetterMegabytes: 1,
      },
      shrink: shrinkEvent,
      deadLetters: {
        fill: 0,
        append: async (letter) => void letters.push(letter),
        close: async () => undefined,
      },
      monitor: new PipelineMonitor(collectLog().log),
    },
    new AbortController().signal,
  );
  return letters;
}

test("each sink gets each report once, and again with the same id only if its acknowledgement was not kept", async (t) => {
  const root = directory(t);
  const reported = await ReportedFindings.open(join(root, "reported.ndjson"));
  await reported.take(runOf([3, 4, 5, 6, 7].map(missing)));
  const ids = reported.after(0).map((report) => findingEvent(report, {}).id);
  const path = join(root, "sink.json");
  const sink = new KeepingSink();
  const save = t.mock.method(FindingsPlace.prototype, "save", async () => {
    throw new Error("no space");
  });
  await assert.rejects(publish(reported, path, sink), /no space/);
  save.mock.restore();
  const firstIds = [...sink.ids];
  assert.deepEqual(firstIds, ids.slice(0, firstIds.length));
  await publish(reported, path, sink);
  assert.deepEqual(sink.ids.slice(firstIds.length), ids);
  await publish(reported, path, sink);
  assert.equal(sink.ids.length, firstIds.length + ids.length);
  const other = new KeepingSink();
  await publish(reported, join(root, "other.json"), other);
  assert.deepEqual(other.ids, ids);
});

test("a report that a sink refuses becomes a dead letter, and one that it does not want is passed over", async (t) => {
  const root = directory(t);
  const reported = await ReportedFindings.open(join(root, "reported.ndjson"));
  await reported.take(runOf([3, 4, 5].map(missing)));
  const ids = reported.after(0).map((report) => findingEvent(report, {}).id);
  const sink = new KeepingSink();
  sink.refused = new Set(ids.slice(1, 2));
  const letters = await publish(reported, join(root, "sink.json"), sink);
  assert.deepEqual(
    letters.map(({ event }) => event?.id),
    ids.slice(1, 2),
  );
  assert.deepEqual(sink.ids, [ids[0], ids[2]]);
  await publish(reported, join(root, "sink.json"), sink);
  assert.equal(sink.ids.length, 2);
  const picky = new KeepingSink();
  const filter = new EventFilter({ except: [{ kind: ["reconcile.*"] }] });
  await publish(reported, join(root, "picky.json"), picky, filter);
  await publish(reported, join(root, "picky.json"), picky);
  assert.deepEqual(picky.ids, []);
});
