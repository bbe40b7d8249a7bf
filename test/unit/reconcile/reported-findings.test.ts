import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { findingEvent, type ReportedFinding } from "../../../src/events/finding-event.ts";
import {
  mostRanges,
  nextReports,
  type Reports,
  withOpen,
} from "../../../src/reconcile/next-reports.ts";
import type { Finding } from "../../../src/reconcile/reconcile.ts";
import { ReportedFindings } from "../../../src/reconcile/reported-findings.ts";
import { RunFile } from "../../../src/reconcile/run-file.ts";
import { failDirectoryFlushes } from "../../support/failing-flush.ts";
import {
  deletedRequest,
  findingsCa,
  findingsDirectory,
  missingRequest as missing,
  runOf,
  findingsTime as time,
} from "../../support/findings.ts";

function shown({ state, requestId, crl, number }: ReportedFinding): string {
  return `${number} ${state} ${requestId ?? crl}`;
}

function since(reported: ReportedFindings, number: number): string[] {
  return reported
    .after(number)
    .map((report) => shown({ ...report, number: report.number - number }));
}

function requests(count: number, from: number, make: (id: number) => Finding): Finding[] {
  return Array.from({ length: count }, (_, index) => make(from + index));
}

test("a finding is reported once, however often it is found, and once more when it is gone", async (t) => {
  const path = join(findingsDirectory(t), "reported.ndjson");
  const first = await ReportedFindings.open(path);
  const crl: Finding = { class: "missing", crl: "crl/0/base/7", missing: ["crl.issued"], time };
  const taken = await first.take(runOf([missing(3), crl, missing(3)]));
  assert.deepEqual(taken, { opened: 2, resolved: 0, unlisted: 0, dropped: 0 });
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

test("a finding has the time at which the comparison that found it ended, which may have taken many nights", async (t) => {
  const reported = await ReportedFindings.open(join(findingsDirectory(t), "reported.ndjson"));
  const endedMs = Date.parse(time) + 10 * 86_400_000;
  const changed = (requestId: number): Finding => {
    return { class: "changed", requestId, missing: [], time };
  };
  await reported.take(runOf(requests(2001, 10, changed), { startedMs: Date.parse(time), endedMs }));
  const [report] = reported.after(0);
  assert.ok(report);
  const { data, time: eventTime } = findingEvent(report, {});
  assert.equal(data["foundTime"], new Date(endedMs).toISOString());
  assert.equal(Date.parse(eventTime), endedMs);
  assert.equal(reported.newestLastingMs, endedMs);
  // Only those that were too many are left.
  await reported.take(runOf(requests(1, 2010, changed), { endedMs: endedMs + 1 }));
  assert.equal(reported.newestLastingMs, endedMs + 1);
});

test("a comparison that is stopped while its findings are read changes nothing", async (t) => {
  const reported = await ReportedFindings.open(join(findingsDirectory(t), "reported.ndjson"));
  const stop = new AbortController();
  let read = 0;
  async function* endless(): AsyncGenerator<Finding> {
    for (; read < 1_000_000; read += 1) {
      if (read === 3) stop.abort();
      yield missing(read + 10);
    }
  }
  const taken = reported.take(runOf([], { findings: endless() }), stop.signal);
  await assert.rejects(taken, { name: "AbortError" });
  assert.ok(read < 10, `${read} findings`);
  assert.deepEqual([reported.state.last, reported.after(0)], [undefined, []]);
});

test("a CA whose name is written in another case is the same", async (t) => {
  const reported = await ReportedFindings.open(join(findingsDirectory(t), "reported.ndjson"));
  await reported.take(runOf([missing(3), missing(4)]));
  const ca = { ...findingsCa, name: findingsCa.name.toUpperCase() };
  const taken = await reported.take(runOf([missing(3)], { ca }));
  assert.deepEqual(taken, { opened: 0, resolved: 1, unlisted: 0, dropped: 0 });
});

test("only a comparison with a result for the request, of the same CA, resolves its finding", async (t) => {
  const reported = await ReportedFindings.open(join(findingsDirectory(t), "reported.ndjson"));
  await reported.take(runOf([missing(3), missing(4)]));
  const onlyFour = ({ requestId }: ReportedFinding) => requestId === 4;
  await reported.take(runOf([], { hasCompared: onlyFour, ca: { ...findingsCa, name: "Other" } }));
  assert.equal(reported.openOfClass.missing, 2);
  const taken = await reported.take(runOf([], { hasCompared: onlyFour }));
  assert.deepEqual(taken, { opened: 0, resolved: 1, unlisted: 0, dropped: 0 });
  assert.deepEqual(reported.openRequests, [3]);
});

test("another class, another step or another time is another finding", async (t) => {
  const reported = await ReportedFindings.open(join(findingsDirectory(t), "reported.ndjson"));
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
  const reported = await ReportedFindings.open(join(findingsDirectory(t), "reported.ndjson"));
  await reported.take(runOf([missing(3), missing(4)]));
  const last = reported.after(0).at(-1)?.number ?? 0;
  await reported.take(runOf([missing(4)], { places: [last] }));
  const left = reported.after(0).map(({ state, requestId }) => [state, requestId]);
  assert.deepEqual(left, [
    ["open", 4],
    ["resolved", 3],
  ]);
  await reported.take(runOf([missing(4)], { places: [last + 1] }));
  assert.deepEqual(reported.openRequests, [4]);
  assert.equal(reported.after(0).length, 1);
});

test("what a finding became is the last report about its request", async (t) => {
  const reported = await ReportedFindings.open(join(findingsDirectory(t), "reported.ndjson"));
  const both = { ...missing(3), missing: ["certificate.issued", "certificate.revoked"] };
  await reported.take(runOf([missing(3)]));
  await reported.take(runOf([both]));
  assert.deepEqual(
    reported.after(0).map((report) => [report.state, report.missing.length]),
    [
      ["open", 1],
      ["resolved", 1],
      ["open", 2],
    ],
  );
});

test("findings of a class that are too many come when others are resolved, and keep out none of another class", async (t) => {
  const reported = await ReportedFindings.open(join(findingsDirectory(t), "reported.ndjson"));
  const many = requests(2010, 10, missing);
  const other: Finding = { class: "state", requestId: 3, missing: ["certificate.revoked"], time };
  const taken = await reported.take(runOf([...many, other]));
  assert.deepEqual(taken, { opened: 2001, resolved: 0, unlisted: 10, dropped: 0 });
  assert.equal(reported.unlisted, 10);
  assert.equal(reported.hasSpace([0]), false);
  // One of what has changed does not find them.
  const changes = await reported.take(runOf(many.slice(0, 2000), { isFull: false }));
  assert.deepEqual(changes, { opened: 0, resolved: 1, unlisted: 10, dropped: 0 });
  await reported.take(runOf([...many, other]));
  assert.equal(reported.hasSpace([0]), false);
  await reported.take(runOf(many.slice(2, 2000).concat(other), { isFull: false }));
  assert.equal(reported.hasSpace([0]), true);
  await reported.take(runOf([...many, other]));
  const later = await reported.take(runOf([...many.slice(5), other]));
  assert.deepEqual(later, { opened: 5, resolved: 5, unlisted: 5, dropped: 0 });
  const last = await reported.take(runOf([...many.slice(2000), other]));
  assert.deepEqual(last, { opened: 5, resolved: 1995, unlisted: 0, dropped: 0 });
  assert.equal(reported.openOfClass.missing, 10);
});

test("each deleted row is reported once, however many there are, and the newest are open", async (t) => {
  const path = join(findingsDirectory(t), "reported.ndjson");
  const reported = await ReportedFindings.open(path);
  const deleted = requests(2500, 10, deletedRequest);
  const taken = await reported.take(runOf([...deleted, missing(3)]));
  assert.deepEqual(taken, { opened: 2501, resolved: 0, unlisted: 0, dropped: 0 });
  assert.equal(reported.openOfClass.deleted, 2000);
  assert.deepEqual(reported.openRequests, [3], "rows that are gone are not asked for again");
  const has = reported.after(0).at(-1)?.number ?? 0;
  const next = await reported.take(
    runOf([missing(3), deletedRequest(9000)], { places: [has], hasCompared: () => false }),
  );
  assert.equal(next.opened, 1, "a budget that the others have used up");
  assert.equal(reported.openOfClass.deleted, 2000);

  const again = await ReportedFindings.open(path);
  const every = await again.take(runOf([...deleted, missing(3), deletedRequest(9000)]));
  assert.deepEqual([every.opened, every.unlisted], [0, 0], "a comparison of every row");
  // The number was given again after a restore, and that row was deleted too.
  const reused = await again.take(runOf([missing(3), deletedRequest(10, "2026-04-01T12:00:00Z")]));
  assert.equal(reused.opened, 1);
});

for (const count of [30_000, 60_000]) {
  test(`${count} scattered deletions are each reported once, and never keep another finding out`, async () => {
    let known: Reports = { reports: [], next: 1 };
    const deleted = Array.from({ length: count }, (_, index) => deletedRequest(2 * index + 2));
    const seen: number[] = [];
    const totals: number[][] = [];
    for (let day = 0; day < 8; day += 1) {
      // Each time another request is missing, and the one before is repaired.
      const findings = [...deleted, missing(2 * count + 2 * day + 3)];
      const places = [known.next - 1];
      const { taken, ...after } = await nextReports(withOpen(known), runOf(findings, { places }));
      const fresh = after.reports.filter(
        ({ number, state }) => number >= known.next && state === "open",
      );
      const others = fresh.filter((report) => report.class === "missing");
      assert.deepEqual(
        others.map(({ requestId }) => requestId),
        [2 * count + 2 * day + 3],
      );
      for (const report of fresh) if (report.class === "deleted") seen.push(report.requestId ?? 0);
      const open = [...withOpen(after).open.values()].filter(
        (report) => report.class === "deleted",
      );
      assert.equal(open.length, 2000);
      totals.push([taken.opened, taken.unlisted]);
      known = after;
    }
    assert.deepEqual(
      seen.toSorted((a, b) => a - b),
      deleted.flatMap((each) => ("requestId" in each ? each.requestId : [])),
    );
    const expected = Array.from({ length: 8 }, (_, day) => {
      const left = Math.max(0, count - 25_000 * day);
      return [Math.min(25_000, left) + 1, Math.max(0, left - 25_000)];
    });
    assert.deepEqual(totals, expected);
  });
}

test("deletions take no space that another class needs, and wait for a sink that is down", async (t) => {
  const path = join(findingsDirectory(t), "reported.ndjson");
  const reported = await ReportedFindings.open(path);
  const deleted = requests(25_001, 10, deletedRequest);
  const places = [reported.numbers.first - 1];
  const taken = await reported.take(runOf(deleted, { places }));
  assert.deepEqual([taken.opened, taken.unlisted], [25_000, 1]);
  assert.equal(reported.hasSpace(places), false);
  const next = await reported.take(runOf([...deleted, missing(3)], { places }));
  assert.deepEqual([next.opened, next.unlisted], [1, 1]);
  const now = [reported.numbers.next - 1];
  assert.equal(reported.hasSpace(now), false, "no comparison of every row for them alone");
  const last = await reported.take(runOf([...deleted, missing(3)], { places: now }));
  assert.deepEqual([last.opened, last.unlisted], [1, 0]);
});

test("of very many ranges of deleted rows the lowest become one", async () => {
  const ids = Array.from(
    { length: mostRanges },
    (_, index) => [4 * index + 2, 4 * index + 2] as const,
  );
  const deletions = { upTo: 0, untilMs: Date.parse(time), ids };
  const top = 4 * mostRanges;
  const findings = Array.from({ length: 2002 }, (_, index) => deletedRequest(top + 2 * index + 2));
  const after = await nextReports(withOpen({ reports: [], next: 1, deletions }), runOf(findings));
  const kept = after.deletions?.ids ?? [];
  assert.equal(kept.length, mostRanges);
  assert.deepEqual(kept.slice(0, 2), [
    [2, 10],
    [14, 14],
  ]);
  assert.deepEqual(kept.slice(-2), [
    [top + 2, top + 2],
    [top + 4, top + 4],
  ]);
});

test("numbers that cannot be are refused, not computed with", async (t) => {
  const path = join(findingsDirectory(t), "reported.ndjson");
  const reported = await ReportedFindings.open(path);
  await reported.take(runOf([missing(3)]));
  const text = readFileSync(path, "utf8");
  for (const [from, to] of [
    [/"startedMs":\d+/, '"startedMs":-1e300'],
    [/"endedMs":\d+/, '"endedMs":1e300'],
    [/"sinceMs":\d+/, '"sinceMs":1e300'],
    [/"foundMs":\d+/, '"foundMs":1e300'],
    [/"happenedMs":\d+/, '"happenedMs":-1e300'],
    [/"rows":\d+/, '"rows":-1'],
    [/}\n/, ',"deletions":{"upTo":1,"untilMs":1,"ids":[[5,6],[5,6]]}}\n'],
  ] as const) {
    assert.match(text, from);
    writeFileSync(path, text.replace(from, to));
    await assert.rejects(ReportedFindings.open(path), { code: "CERTWIRE_CHECKPOINT_FAILED" }, to);
  }
  writeFileSync(path, text);
  await ReportedFindings.open(path);
});

test("the state of the comparisons has no time that cannot be", async (t) => {
  const path = join(findingsDirectory(t), "run.json");
  for (const times of [{ completeMs: -1e300 }, { scheduledFullMs: 1e300 }]) {
    writeFileSync(path, JSON.stringify({ version: 1, ...times }));
    await assert.rejects(RunFile.open(path), { code: "CERTWIRE_CHECKPOINT_FAILED" });
  }
  writeFileSync(path, JSON.stringify({ version: 1, completeMs: 8.64e15 }));
  assert.deepEqual((await RunFile.open(path)).state, { completeMs: 8.64e15 });
});

test("what happened before 1970 is a date like another", async (t) => {
  const reported = await ReportedFindings.open(join(findingsDirectory(t), "reported.ndjson"));
  const crl: Finding = {
    class: "missing",
    crl: "crl/0/base/7",
    missing: ["crl.issued"],
    time: "1950-01-01T00:00:00Z",
  };
  assert.equal((await reported.take(runOf([crl]))).opened, 1);
});

test("a sink that takes nothing keeps no finding from the others", async () => {
  let known: Reports = { reports: [], next: 1 };
  let place = 0;
  const dropped = new Set<number>();
  for (let day = 0; day < 28; day += 1) {
    const findings = requests(1900, day * 2000, missing);
    const { taken, ...after } = await nextReports(
      withOpen(known),
      runOf(findings, { places: [0, place] }),
    );
    assert.deepEqual([taken.opened, taken.unlisted], [1900, 0], `day ${day}`);
    assert.equal(taken.resolved, day === 0 ? 0 : 1900);
    const left = new Set(after.reports.map(({ number }) => number));
    for (const { number } of known.reports) if (!left.has(number)) dropped.add(number);
    assert.ok(after.reports.length <= 50_000);
    assert.equal(
      taken.dropped,
      known.reports.length - after.reports.length + 1900 + taken.resolved,
    );
    known = after;
    place = after.next - 1;
  }
  assert.ok(dropped.size > 0);
  // Of each finding the sink that is back gets both reports or none.
  const states = new Map<number, string[]>();
  for (const { requestId = 0, state } of known.reports) {
    states.set(requestId, [...(states.get(requestId) ?? []), state]);
  }
  const pairs = new Set([...states.values()].map((each) => each.join()));
  assert.deepEqual([...pairs].toSorted(), ["open", "open,resolved"]);
});

test("no sink is kept from the end of a finding whose beginning it has", async () => {
  const first = await nextReports(withOpen({ reports: [], next: 1 }), runOf([missing(1)]));
  const second = await nextReports(
    withOpen(first),
    runOf(requests(1999, 10, missing), { places: [0, 1] }),
  );
  let known: Reports = second;
  for (let day = 1; day < 28; day += 1) {
    const findings = requests(1999, 10 + day * 2000, missing);
    known = await nextReports(withOpen(known), runOf(findings, { places: [0, 1, known.next - 1] }));
  }
  const kept = known.reports.filter(({ requestId }) => requestId === 1).map(({ state }) => state);
  assert.deepEqual(kept, ["open", "resolved"]);
});

test("findings that cannot be read change nothing, and a damaged file says what to do", async (t) => {
  const path = join(findingsDirectory(t), "reported.ndjson");
  const reported = await ReportedFindings.open(path);
  const text = readFileSync(path, "utf8");
  async function* broken(): AsyncGenerator<Finding> {
    yield missing(3);
    throw new Error("cut off");
  }
  await assert.rejects(reported.take(runOf([], { findings: broken() })), /cut off/);
  assert.equal(reported.state.last, undefined);
  assert.equal(readFileSync(path, "utf8"), text);
  writeFileSync(path, text.replace('"version":1', '"version":2'));
  await assert.rejects(ReportedFindings.open(path), {
    code: "CERTWIRE_CHECKPOINT_FAILED",
    hint: /delete it/,
  });
});

test("reports whose file is not durable are published by no start before it is", async (t) => {
  const path = join(findingsDirectory(t), "reported.ndjson");
  const first = await ReportedFindings.open(path);
  const disk = await failDirectoryFlushes(t);
  await assert.rejects(first.take(runOf([missing(3)])), { code: "CERTWIRE_CHECKPOINT_FAILED" });
  await assert.rejects(ReportedFindings.open(path), { code: "CERTWIRE_CHECKPOINT_FAILED" });
  disk.repair();
  const later = await ReportedFindings.open(path);
  assert.deepEqual(later.openRequests, [3]);
  assert.equal(disk.flushed(), 1);
});
