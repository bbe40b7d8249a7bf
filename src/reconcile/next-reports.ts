import { z } from "zod";
import { Ranges } from "../consumer/completeness/ranges.ts";
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
/** Ranges of rows whose deletion was reported; without the others a comparison of every row reports them again. */
export const mostRanges = 10_000;

const ms = z.number();

/** A report as it is kept. */
export const reportShape = z.object({
  number: z.int().min(1),
  state: z.enum(findingStates),
  class: z.enum(findingClasses),
  ca: z.object({ id: z.string(), name: z.string() }),
  requestId: z.int().min(0).optional(),
  crl: z.string().optional(),
  missing: z.array(z.string()),
  happenedMs: ms.optional(),
  detail: z.string().optional(),
  foundMs: ms,
  resolvedMs: ms.optional(),
});

/** A complete comparison. Times are in ms since 1970. */
export interface CompleteRun {
  readonly startedMs: number;
  /** Now. */
  readonly endedMs: number;
  readonly rows: number;
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

/** Deleted rows that were reported and are open no more. */
export interface OldDeletions {
  /** A later record of the same number is another request. In ms since 1970. */
  readonly untilMs: number;
  /** Request ids, both ends included. */
  readonly ids: readonly (readonly [from: number, to: number])[];
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

/** Adds the open reports. Throws a TypeError for ids that are not ranges. */
export function withOpen(known: Reports): OpenReports {
  const isOld = oldDeletions(known);
  const open = new Map<string, ReportedFinding>();
  for (const report of known.reports) {
    if (report.state === "open" && !isOld(report)) open.set(keyOf(report), report);
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

/**
 * The reports after a comparison: one more for each finding that was open and is not found any more, and then one for each
 * that was not open before, so that the last report about a request is what is true of it. Rejects as the findings do.
 */
export async function nextReports(
  known: OpenReports,
  run: CompleteRun,
): Promise<Reports & { readonly taken: TakenRun }> {
  const { ca, endedMs, places } = run;
  const { found, fresh, tooMany } = await sortFindings(known, run);
  const resolved = [...known.open]
    .filter(([key, report]) => !found.has(key) && report.ca.name === ca.name)
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
  const opened = wanted.slice(0, space - ended.length);
  let { next } = known;
  const reports = [
    ...kept.filter(({ number }) => !dropped.has(number)),
    ...ended.map((report): ReportedFinding => {
      return { ...report, number: next++, state: "resolved", resolvedMs: endedMs };
    }),
    ...opened.map((report) => ({ ...report, number: next++ })),
  ];
  const unlisted = tooMany + fresh.length - opened.length;
  const counts = { opened: opened.length, resolved: ended.length, unlisted, dropped: dropped.size };
  const isDeleted = (report: ReportedFinding): boolean => report.class === "deleted";
  const deletions = agedDeletions(known, [...still, ...opened].filter(isDeleted), endedMs);
  return { reports, next, ...(deletions && { deletions }), taken: counts };
}

/** Which open findings were found again, and the new ones; `tooMany`: those that no limit would let pass. */
async function sortFindings(
  known: OpenReports,
  { findings, ca, startedMs, places }: CompleteRun,
): Promise<{ found: Set<string>; fresh: ReportedFinding[]; tooMany: number }> {
  const isOld = oldDeletions(known);
  const acknowledged = Math.min(...places);
  const waiting = known.reports.filter(({ number }) => number > acknowledged);
  const { deleted } = countClasses(waiting);
  const found = new Set<string>();
  const fresh = new Map<string, ReportedFinding>();
  const counts = { ...countClasses([]), deleted };
  let tooMany = 0;
  for await (const finding of findings) {
    const report = reportOf(finding, { number: known.next, ca, foundMs: startedMs });
    const key = keyOf(report);
    if (known.open.has(key)) found.add(key);
    else if (!fresh.has(key) && !isOld(report)) {
      const most = report.class === "deleted" ? mostDeleted : mostOpenOfClass;
      counts[report.class] += 1;
      if (counts[report.class] <= most) fresh.set(key, report);
      else tooMany += 1;
    }
  }
  return { found, fresh: [...fresh.values()], tooMany };
}

/** The first new findings of each class, as many as may be open with those that are. */
function firstOfClasses(
  fresh: readonly ReportedFinding[],
  open: Readonly<Record<FindingClass, number>>,
): ReportedFinding[] {
  const counts = { ...open };
  return fresh.filter((report) => {
    counts[report.class] += 1;
    return report.class === "deleted" || counts[report.class] <= mostOpenOfClass;
  });
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

/** Deletions that are open no more, with those of some deleted rows that are too many. */
function agedDeletions(
  { deletions }: Reports,
  deleted: readonly ReportedFinding[],
  endedMs: number,
): OldDeletions | undefined {
  const old = deleted.slice(0, Math.max(0, deleted.length - mostOpenOfClass));
  if (old.length === 0) return deletions;
  const ids = new Ranges(deletions?.ids);
  for (const { requestId } of old) if (requestId !== undefined) ids.add(requestId);
  const untilMs = Math.max(deletions?.untilMs ?? 0, endedMs);
  return { untilMs, ids: ids.toJSON().slice(-mostRanges) };
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
  return JSON.stringify([ca.name, requestId ?? crl, found, missing, happenedMs]);
}
