import { z } from "zod";
import { type Range, Ranges } from "../consumer/completeness/ranges.ts";
import { isSameCaName } from "../events/ca-identity.ts";
import {
  type FindingClass,
  findingClasses,
  findingStates,
  type ReportedFinding,
} from "../events/finding-event.ts";
import type { Finding } from "./reconcile.ts";

/**
 * Findings of a class that are open at the same time. Of rows that were deleted the newest are: a CA that deletes old rows
 * makes one of each, and they are never resolved.
 */
const mostOpenOfClass = 2000;
/** Reports that are kept for a sink that does not take them, and how many of them may be of deleted rows. */
const mostKept = 50_000;
const mostDeleted = 25_000;
/** Ranges of rows whose deletion was reported. The lowest of more become one, and deletions between them are not reported. */
export const mostRanges = 200_000;
/** Furthest from 1970 that a date may be, in ms. */
const latestMs = 8.64e15;

/** A time of the machine's clock, in ms since 1970. */
export const clockMs = z.number().min(0).max(latestMs);

/** A report as it is kept. */
export const reportShape = z.object({
  number: z.int().min(1),
  state: z.enum(findingStates),
  class: z.enum(findingClasses),
  ca: z.object({ id: z.string(), name: z.string() }),
  requestId: z.int().min(0).optional(),
  crl: z.string().optional(),
  missing: z.array(z.string()),
  happenedMs: z.number().min(-latestMs).max(latestMs).optional(),
  detail: z.string().optional(),
  foundMs: clockMs,
  resolvedMs: clockMs.optional(),
});

/** A complete comparison. Times are in ms since 1970. */
export interface CompleteRun {
  readonly startedMs: number;
  /** Now. */
  readonly endedMs: number;
  readonly rows: number;
  /** True if it has compared every row. */
  readonly isFull: boolean;
  readonly ca: ReportedFinding["ca"];
  /** All that it found. */
  readonly findings: AsyncIterable<Finding>;
  /** True for a request or CRL that it compared with a result. */
  readonly hasCompared: (report: ReportedFinding) => boolean;
  /** Of each sink: the number up to which it has the reports. */
  readonly places: readonly number[];
}

/** What a comparison has changed. */
export interface TakenRun {
  readonly opened: number;
  readonly resolved: number;
  /** Findings that are in the file of the comparison only, because there are too many. */
  readonly unlisted: number;
  /** Reports of findings that were found and are gone, which a sink that takes nothing will not get any more. */
  readonly dropped: number;
}

/** Deleted rows that were reported and are no longer open. */
export interface OldDeletions {
  /** Reports of deleted rows up to this number are no longer open. */
  readonly upTo: number;
  /** A later record of the same number is another request. In ms since 1970. */
  readonly untilMs: number;
  /** Request ids, both ends included. */
  readonly ids: readonly Range[];
}

/** The reports before a comparison, or after it. */
export interface Reports {
  /** By rising number. */
  readonly reports: readonly ReportedFinding[];
  /** Number of the next report. */
  readonly next: number;
  readonly deletions?: OldDeletions | undefined;
}

/** Reports, and those of them that are open, by what makes two findings the same. */
export type OpenReports = Reports & { readonly open: ReadonlyMap<string, ReportedFinding> };

/** Adds the open reports. */
export function withOpen(known: Reports): OpenReports {
  const { upTo = 0 } = known.deletions ?? {};
  const open = new Map<string, ReportedFinding>();
  for (const report of known.reports) {
    const isOld = isDeleted(report) && report.number <= upTo;
    if (report.state === "open" && !isOld) open.set(keyOf(report), report);
    else open.delete(keyOf(report));
  }
  return { ...known, open };
}

/** Number of findings of each class. */
export function countClasses(reports: Iterable<ReportedFinding>): Record<FindingClass, number> {
  const counts = { missing: 0, state: 0, changed: 0, unknown: 0, deleted: 0 };
  for (const report of reports) counts[report.class] += 1;
  return counts;
}

/** How many more findings of each class may be reported. `places`: of each sink, the number up to which it has the reports. */
export function spaceOf(
  known: OpenReports,
  places: readonly number[],
): Record<FindingClass, number> {
  const space = countClasses(known.open.values());
  for (const each of findingClasses) space[each] = mostOpenOfClass - space[each];
  return { ...space, deleted: mostDeleted - countClasses(waitingReports(known, places)).deleted };
}

/**
 * The reports after a comparison: one more for each finding that was open and is not found any more, and then one for each
 * that was not open before, so that the last report about a request is what is true of it. Rejects as the findings do, and
 * with the signal's reason.
 */
export async function nextReports(
  known: OpenReports,
  run: CompleteRun,
  signal?: AbortSignal,
): Promise<
  Reports & { readonly taken: TakenRun; readonly unlisted: Record<FindingClass, number> }
> {
  const { ca, endedMs, places } = run;
  const { found, fresh, tooMany } = await sortFindings(known, run, signal);
  const resolved = [...known.open]
    .filter(([key, report]) => !found.has(key) && isSameCaName(report.ca.name, ca.name))
    .map(([, report]) => report)
    .filter(run.hasCompared);
  const over = new Set(resolved);
  const still = [...known.open.values()].filter((report) => !over.has(report));
  const wanted = firstOfClasses(fresh, countClasses(still));
  const stillOpen = new Set(still.map(({ number }) => number));
  const acknowledged = Math.min(...places);
  const kept = known.reports.filter(({ number }) => number > acknowledged || stillOpen.has(number));
  const needed = kept.length + resolved.length + wanted.length - mostKept;
  const dropped = droppable(kept, places, needed);
  const space = mostKept - (kept.length - dropped.size);
  const ended = resolved.slice(0, space);
  const listed = wanted.slice(0, space - ended.length);
  let { next } = known;
  const ends = ended.map((report): ReportedFinding => {
    return { ...report, number: next++, state: "resolved", resolvedMs: endedMs };
  });
  const opened = listed.map((report) => ({ ...report, number: next++ }));
  const reports = [...kept.filter(({ number }) => !dropped.has(number)), ...ends, ...opened];
  const [all, some] = [countClasses(fresh), countClasses(opened)];
  for (const each of findingClasses) tooMany[each] += all[each] - some[each];
  const taken = {
    opened: opened.length,
    resolved: ends.length,
    unlisted: sumOf(tooMany),
    dropped: dropped.size,
  };
  const deletions = agedDeletions(known, [...still, ...opened].filter(isDeleted), endedMs);
  return { reports, next, ...(deletions && { deletions }), taken, unlisted: tooMany };
}

/** Findings of all classes. */
export function sumOf(counts: Readonly<Record<FindingClass, number>>): number {
  return findingClasses.reduce((sum, each) => sum + counts[each], 0);
}

/** Which open findings were found again, and the new ones; `tooMany`: those that no limit would let pass. */
async function sortFindings(
  known: OpenReports,
  { findings, ca, endedMs, places }: CompleteRun,
  signal: AbortSignal | undefined,
): Promise<{
  found: Set<string>;
  fresh: ReportedFinding[];
  tooMany: Record<FindingClass, number>;
}> {
  const isOld = oldDeletions(known);
  const { deleted } = countClasses(waitingReports(known, places));
  const found = new Set<string>();
  const fresh = new Map<string, ReportedFinding>();
  const counts = { ...countClasses([]), deleted };
  const tooMany = countClasses([]);
  for await (const finding of findings) {
    signal?.throwIfAborted();
    const report = reportOf(finding, { number: known.next, ca, foundMs: endedMs });
    const key = keyOf(report);
    if (known.open.has(key)) found.add(key);
    else if (!fresh.has(key) && !isOld(report)) {
      const most = report.class === "deleted" ? mostDeleted : mostOpenOfClass;
      counts[report.class] += 1;
      if (counts[report.class] <= most) fresh.set(key, report);
      else tooMany[report.class] += 1;
    }
  }
  return { found, fresh: [...fresh.values()], tooMany };
}

/** The first new findings of each class, as many as may be open with those that are; those of deleted rows after the others. */
function firstOfClasses(
  fresh: readonly ReportedFinding[],
  open: Readonly<Record<FindingClass, number>>,
): ReportedFinding[] {
  const counts = { ...open };
  const others = fresh.filter((report) => {
    counts[report.class] += 1;
    return !isDeleted(report) && counts[report.class] <= mostOpenOfClass;
  });
  return [...others, ...fresh.filter(isDeleted)];
}

/**
 * Numbers of the oldest reports of findings that are over, each pair as a whole, until there are as many as needed. None of
 * which a sink has the first half: it would not get the second one.
 */
function droppable(
  reports: readonly ReportedFinding[],
  places: readonly number[],
  needed: number,
): ReadonlySet<number> {
  const dropped = new Set<number>();
  const begun = new Map<string, number>();
  for (const report of reports) {
    if (dropped.size >= needed) break;
    const { number } = report;
    const key = keyOf(report);
    const first = begun.get(key);
    begun.delete(key);
    if (report.state === "open") begun.set(key, number);
    else if (first !== undefined && places.every((place) => place < first || place >= number)) {
      dropped.add(first).add(number);
    }
  }
  return dropped;
}

/** Deletions that are no longer open, with those of some deleted rows that are too many. */
function agedDeletions(
  { deletions }: Reports,
  deleted: readonly ReportedFinding[],
  endedMs: number,
): OldDeletions | undefined {
  const old = deleted.slice(0, Math.max(0, deleted.length - mostOpenOfClass));
  const upTo = old.at(-1)?.number;
  if (upTo === undefined) return deletions;
  const known = deletions?.ids ?? [];
  const added = old.flatMap(({ requestId: id }) => (id === undefined ? [] : [[id, id] as const]));
  const ids = new Ranges();
  // By rising number, a set is fast.
  for (const [from, to] of [...known, ...added].toSorted(([a], [b]) => a - b)) ids.add(from, to);
  const untilMs = Math.max(deletions?.untilMs ?? 0, endedMs);
  return { upTo, untilMs, ids: fewRanges(ids.toJSON()) };
}

/** The ranges, of which the lowest are joined until there are few enough. */
function fewRanges(ranges: readonly Range[]): readonly Range[] {
  const over = ranges.length - mostRanges;
  const [first, last] = [ranges[0], ranges[over]];
  if (over <= 0 || first === undefined || last === undefined) return ranges;
  return [[first[0], last[1]], ...ranges.slice(over + 1)];
}

/** Those that a sink does not have. */
function waitingReports({ reports }: Reports, places: readonly number[]): ReportedFinding[] {
  const acknowledged = Math.min(...places);
  return reports.filter(({ number }) => number > acknowledged);
}

function isDeleted(report: ReportedFinding): boolean {
  return report.class === "deleted";
}

function oldDeletions({ deletions }: Reports): (report: ReportedFinding) => boolean {
  if (deletions === undefined) return () => false;
  const ids = new Ranges(deletions.ids);
  return ({ class: found, requestId, happenedMs = 0 }) =>
    found === "deleted" &&
    requestId !== undefined &&
    happenedMs <= deletions.untilMs &&
    ids.has(requestId);
}

/** A report, whose number is another one in the end. */
function reportOf(finding: Finding, about: Pick<ReportedFinding, "ca" | "foundMs" | "number">) {
  const { missing, time } = finding;
  return reportShape.parse({
    ...about,
    state: "open",
    class: finding.class,
    ...("crl" in finding ? { crl: finding.crl } : { requestId: finding.requestId }),
    missing,
    ...(time !== undefined && { happenedMs: Date.parse(time) }),
    ...("detail" in finding && finding.detail !== undefined && { detail: finding.detail }),
  });
}

/** Two findings with the same one are the same; another request with a number that was given again has another time. */
function keyOf({ ca, requestId, crl, class: found, missing, happenedMs }: ReportedFinding): string {
  return JSON.stringify([ca.name.toUpperCase(), requestId ?? crl, found, missing, happenedMs]);
}
