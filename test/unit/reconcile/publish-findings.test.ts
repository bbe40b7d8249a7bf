import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { clock } from "../../../src/clock.ts";
import { EventFilter } from "../../../src/events/event-filter.ts";
import { findingEvent } from "../../../src/events/finding-event.ts";
import { shrinkEvent } from "../../../src/events/shrink-event.ts";
import { PipelineMonitor } from "../../../src/pipeline/monitor.ts";
import { Pace } from "../../../src/reconcile/pace.ts";
import {
  type FindingsOptions,
  FindingsPlace,
  publishFindings,
} from "../../../src/reconcile/publish-findings.ts";
import { ReportedFindings } from "../../../src/reconcile/reported-findings.ts";
import type { ReconcileTarget } from "../../../src/reconcile/target.ts";
import type { PublishOutcome } from "../../../src/sinks/sink.ts";
import type { DeadLetter } from "../../../src/state/dead-letter.ts";
import { RoutedKindsFile } from "../../../src/state/routed-kinds-file.ts";
import { collectLog } from "../../support/collect-log.ts";
import { findingsDirectory, missingRequest as missing, runOf } from "../../support/findings.ts";

/** A sink that a test can let fail, and what it has taken. */
class KeepingSink {
  readonly name = "kept";
  readonly kind = "kept";
  readonly limits = { batchEvents: 2, batchBytes: 1e6, lingerMs: 0, maxEventBytes: 1e5 };
  readonly lanes = 1;
  readonly ids: string[] = [];
  refused = new Set<string>();
  /** How often what is bound to the destination is down. */
  outages = 0;
  taken: () => void = () => undefined;

  async open(): Promise<void> {
    // Nothing to open.
  }

  laneOf(): number {
    return 0;
  }

  async publish(_lane: number, batch: readonly { readonly id: string }[]): Promise<PublishOutcome> {
    if (this.outages > 0) {
      this.outages -= 1;
      const failure = { kind: "unroutable", cause: new Error("no route") } as const;
      return { acknowledged: 0, failure };
    }
    const at = batch.findIndex(({ id }) => this.refused.has(id));
    const taken = at < 0 ? batch : batch.slice(0, at);
    this.ids.push(...taken.map(({ id }) => id));
    this.taken();
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
  place: FindingsPlace,
  sink: KeepingSink,
  {
    filter = new EventFilter({}),
    routedKinds,
  }: Pick<Partial<FindingsOptions & ReconcileTarget>, "filter" | "routedKinds"> = {},
): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  const pace = new Pace({
    perSecond: 1e6,
    isLiveBehind: async () => false,
    sleep: async (_, signal) => signal.throwIfAborted(),
  });
  const options = { reported, place, events: {}, filter, pace };
  await publishFindings(
    options,
    {
      sink,
      limits: {
        maxInFlightEvents: 100,
        maxInFlightBytes: 1e7,
        retryInitialMs: 1,
        retryMaxMs: 5,
        deadLetterAfterSeconds: 0,
        maxDeadLetterMegabytes: 1,
      },
      shrink: shrinkEvent,
      deadLetters: {
        fill: 0,
        append: async (letter) => void letters.push(letter),
        close: async () => undefined,
      },
      routedKinds,
      monitor: new PipelineMonitor(collectLog().log),
    },
    new AbortController().signal,
  );
  return letters;
}

/** Reports of so many missing requests, the ids of their events, and how a place of them is opened. */
async function reportsOf(t: TestContext, ...requestIds: readonly number[]) {
  const root = findingsDirectory(t);
  const reported = await ReportedFindings.open(join(root, "reported.ndjson"));
  await reported.take(runOf(requestIds.map(missing)));
  const ids = reported.after(0).map((report) => findingEvent(report, {}).id);
  const open = (name = "sink") => FindingsPlace.open(join(root, `${name}.json`), reported.numbers);
  return { root, reported, ids, open };
}

test("each sink gets each report once, and again with the same id only after a crash before its acknowledgement was kept", async (t) => {
  const { root, reported, ids, open } = await reportsOf(t, 3, 4, 5, 6, 7);
  const place = await open();
  const sink = new KeepingSink();
  // Nothing can be written where the new file would be.
  const full = join(root, "sink.json.new");
  sink.taken = () => mkdirSync(full, { recursive: true });
  const refused = { code: "CERTWIRE_CHECKPOINT_FAILED" };
  await assert.rejects(publish(reported, place, sink), refused);
  const first = [...sink.ids];
  assert.ok(first.length > 0);
  assert.deepEqual(first, ids.slice(0, first.length));
  for (const _ of ["a minute later", "another one"]) {
    await assert.rejects(publish(reported, place, sink), refused);
    assert.deepEqual(sink.ids, first);
  }
  assert.equal(place.isKept, false);
  const crashed = await open();
  sink.taken = () => undefined;
  rmSync(full, { recursive: true });
  await publish(reported, place, sink);
  assert.deepEqual(sink.ids, ids);
  assert.equal(place.isKept, true);
  const restarted = new KeepingSink();
  await publish(reported, crashed, restarted);
  assert.deepEqual(restarted.ids, ids);
  await publish(reported, await open(), sink);
  assert.equal(sink.ids.length, ids.length);
  const other = new KeepingSink();
  await publish(reported, await open("other"), other);
  assert.deepEqual(other.ids, ids);
});

test("a report that a sink refuses becomes a dead letter, and one that it does not want is passed over", async (t) => {
  const { reported, ids, open } = await reportsOf(t, 3, 4, 5);
  const sink = new KeepingSink();
  sink.refused = new Set(ids.slice(1, 2));
  const letters = await publish(reported, await open(), sink);
  assert.deepEqual(
    letters.map(({ event }) => event?.id),
    ids.slice(1, 2),
  );
  assert.deepEqual(sink.ids, [ids[0], ids[2]]);
  await publish(reported, await open(), sink);
  assert.equal(sink.ids.length, 2);
  const picky = new KeepingSink();
  const filter = new EventFilter({ except: [{ kind: ["reconcile.*"] }] });
  await publish(reported, await open("picky"), picky, { filter });
  await publish(reported, await open("picky"), picky);
  assert.deepEqual(picky.ids, []);
});

for (const [when, shiftMs] of [
  ["within the same hour", 60_000],
  ["after the clock was a day ahead", -86_400_000],
] as const) {
  test(`a file of reports that is deleted ${when} keeps no later report from a sink`, async (t) => {
    let nowMs = Date.UTC(2026, 10, 28, 2);
    t.mock.method(clock, "time", () => nowMs);
    const { root, reported, ids, open } = await reportsOf(t, 3, 4, 5, 6, 7);
    const sink = new KeepingSink();
    await publish(reported, await open(), sink);
    rmSync(join(root, "reported.ndjson"));
    nowMs += shiftMs;
    const begun = await ReportedFindings.open(join(root, "reported.ndjson"));
    await begun.take(runOf([3, 4, 5, 6, 7].map(missing)));
    const again = begun.after(0).map((report) => findingEvent(report, {}).id);
    await publish(begun, await FindingsPlace.open(join(root, "sink.json"), begun.numbers), sink);
    assert.deepEqual(sink.ids, [...ids, ...again]);
    assert.equal(new Set(sink.ids).size, 10, "consumers do not take one for another");
  });
}

test("a place that is damaged, or that no report has had, costs duplicates only", async (t) => {
  const { root, reported, ids, open } = await reportsOf(t, 3, 4, 5);
  const path = join(root, "sink.json");
  const sink = new KeepingSink();
  await publish(reported, await open(), sink);
  const sound = JSON.parse(readFileSync(path, "utf8")) as { number: number };
  const muting = JSON.stringify({ ...sound, number: sound.number + 1 });
  for (const text of [muting, "", "{", "x".repeat(2000), readFileSync(path, "utf8").slice(1)]) {
    writeFileSync(path, text);
    sink.ids.length = 0;
    const place = await open();
    assert.equal(place.number, 0);
    // At once: later reports may reach the number that was there.
    assert.equal((await open()).number, 0);
    assert.equal((JSON.parse(readFileSync(path, "utf8")) as { number: number }).number, 0);
    await publish(reported, place, sink);
    assert.deepEqual(sink.ids, ids);
  }
});

test("findings wait for a queue that is down, if it has taken one before", async (t) => {
  const { root, reported, ids, open } = await reportsOf(t, 3);
  const paths = { path: join(root, "kinds.json"), root };
  const kinds = () => RoutedKindsFile.read(paths, "exchange", () => assert.fail());
  const sink = new KeepingSink();
  await publish(reported, await open(), sink, { routedKinds: await kinds() });
  assert.deepEqual(sink.ids, ids);
  await reported.take(runOf([missing(4)], { hasCompared: () => false }));
  sink.outages = 5;
  const letters = await publish(reported, await open(), sink, { routedKinds: await kinds() });
  assert.deepEqual(letters, []);
  assert.equal(sink.ids.length, 2);
});
