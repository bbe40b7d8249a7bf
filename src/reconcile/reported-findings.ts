import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { clock } from "../clock.ts";
import type { Range } from "../consumer/completeness/ranges.ts";
import { CertwireError } from "../errors/certwire-error.ts";
import {
  type FindingClass,
  findingClasses,
  type ReportedFinding,
} from "../events/finding-event.ts";
import { directoryModes, syncDirectory } from "../files/append-file.ts";
import { ignoreMissing } from "../files/existing.ts";
import { readLimitedText } from "../files/limited-text.ts";
import { replaceFile } from "../files/replace-file.ts";
import { mebibyte } from "../units.ts";
import {
  type CompleteRun,
  clockMs,
  countClasses,
  mostRanges,
  nextReports,
  type OpenReports,
  reportShape,
  spaceOf,
  sumOf,
  type TakenRun,
  withOpen,
} from "./next-reports.ts";

const maxBytes = 64 * mebibyte;
const count = z.int().min(0);
const headShape = z.object({
  version: z.literal(1),
  /** Number of the first report of the file, which no other file has, and of the next one. */
  first: z.int().min(1),
  next: z.int().min(1),
  /** When the file was begun. */
  sinceMs: clockMs,
  /** When the last complete comparison began and ended, and what it saw. */
  last: z
    .object({
      startedMs: clockMs,
      endedMs: clockMs,
      rows: count,
      /** Findings that were too many, at least: one of what has changed does not find those of the one before again. */
      unlisted: z.record(z.enum(findingClasses), count),
      /** When the last comparison ended that has found such ones of a lasting class that were new. */
      unlistedMs: clockMs.optional(),
    })
    .optional(),
  /** Deletions that were reported and are no longer open. */
  deletions: z
    .object({
      upTo: count,
      untilMs: clockMs,
      ids: z
        .array(z.tuple([count, count]).readonly())
        .max(mostRanges)
        .refine(areAscending, "must be ascending")
        .readonly(),
    })
    .optional(),
});

type Head = z.infer<typeof headShape>;

/** What is known of the last complete comparison. */
interface LastFacts {
  /** When it began, in ms since 1970. */
  readonly lastMs: number;
  readonly rows: number;
  /** Findings that are too many to be reported, those of them that a backfill ends, and those of deleted rows. */
  readonly unlisted: number;
  readonly unlistedMissing: number;
  readonly unlistedDeleted: number;
}

/** Classes whose findings no backfill ends. */
const lastingClasses: ReadonlySet<FindingClass> = new Set(["state", "changed", "unknown"]);

/** Which numbers the reports of a file may have: from the first on, and lower than the next. */
export interface ReportNumbers {
  readonly first: number;
  readonly next: number;
}

/**
 * What the scheduled comparisons have found, on disk: each finding that is open, and each report that a sink may not have
 * yet. One comparison replaces the file as a whole, so that after a crash either all of its findings are reported or none
 * was, and the next comparison begins where it did. One process at a time may write it.
 */
export class ReportedFindings {
  readonly #path: string;
  readonly #listeners = new Set<() => void>();
  #head: Head;
  #reports: OpenReports;
  #openOfClass: Readonly<Record<FindingClass, number>>;

  private constructor(path: string, head: Head, reports: readonly ReportedFinding[]) {
    this.#path = path;
    this.#head = head;
    this.#reports = withOpen({ ...head, reports });
    this.#openOfClass = countClasses(this.#reports.open.values());
  }

  /** Reads the file, and begins it if there is none. Rejects with CERTWIRE_CHECKPOINT_FAILED. */
  static async open(path: string): Promise<ReportedFindings> {
    const found = await readReports(path);
    if (found !== undefined) {
      await keepName(path);
      return new ReportedFindings(path, found.head, found.reports);
    }
    const sinceMs = clock.time();
    // Higher than those of an earlier file, which consumers know; no comparison finds a thousand in a ms.
    const first = Math.max(1, Math.floor(sinceMs));
    const begun = new ReportedFindings(path, { version: 1, first, next: first, sinceMs }, []);
    await begun.#save(begun.#head, []);
    return begun;
  }

  /** When the last complete comparison began, what it saw, and when the file was begun. */
  get state(): Pick<Head, "last" | "sinceMs"> {
    return this.#head;
  }

  get numbers(): ReportNumbers {
    return this.#head;
  }

  /** Number of open findings of each class. */
  get openOfClass(): Readonly<Record<FindingClass, number>> {
    return this.#openOfClass;
  }

  /** Number of findings of the last complete comparison that were too many to be reported; 0 if there was none. */
  get unlisted(): number {
    const { last } = this.#head;
    return last === undefined ? 0 : sumOf(last.unlisted);
  }

  /** Of the last complete comparison; empty if there was none. */
  get lastFacts(): Partial<LastFacts> {
    const { last } = this.#head;
    if (last === undefined) return {};
    const { startedMs: lastMs, rows, unlisted } = last;
    return {
      lastMs,
      rows,
      unlisted: sumOf(unlisted),
      unlistedMissing: unlisted.missing,
      unlistedDeleted: unlisted.deleted,
    };
  }

  /**
   * True if one of them could be reported now. Those of deleted rows, of which there may be a million, wait for the next
   * comparison of every row. `places`: of each sink, the number up to which it has the reports.
   */
  hasSpace(places: readonly number[]): boolean {
    const { last } = this.#head;
    if (last === undefined) return false;
    const space = spaceOf(this.#reports, places);
    return findingClasses.some(
      (each) => each !== "deleted" && last.unlisted[each] > 0 && space[each] > 0,
    );
  }

  /** When the newest finding was found that no backfill ends, of the open ones and those too many, in ms since 1970. */
  get newestLastingMs(): number | undefined {
    const lasting = [...this.#reports.open.values()].filter((report) =>
      lastingClasses.has(report.class),
    );
    return lasting.reduce<number | undefined>(
      (newest = 0, { foundMs }) => Math.max(newest, foundMs),
      lastingOf(this.#head.last?.unlisted) > 0 ? this.#head.last?.unlistedMs : undefined,
    );
  }

  /** Requests with open findings, those of rows that were deleted left out, by rising number of the report. */
  get openRequests(): number[] {
    const open = [...this.#reports.open.values()].filter((report) => report.class !== "deleted");
    return [...new Set(open.flatMap(({ requestId }) => requestId ?? []))];
  }

  /** CRLs with open findings, by their subject. */
  get openCrls(): string[] {
    return [...this.#reports.open.values()].flatMap(({ crl }) => crl ?? []);
  }

  /** Requests, by their number, and CRLs, by their subject, that have open findings. */
  get openAbout(): ReadonlySet<number | string> {
    const open = [...this.#reports.open.values()];
    return new Set(open.map(({ requestId, crl }) => requestId ?? crl ?? ""));
  }

  /** The reports with a greater number, by rising number. */
  after(number: number): readonly ReportedFinding[] {
    const { reports } = this.#reports;
    const from = reports.findIndex((report) => report.number > number);
    return from < 0 ? [] : reports.slice(from);
  }

  /** Resolves after the next comparison was taken, or when the signal is aborted. */
  changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#listeners.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      if (signal.aborted) return resolve();
      this.#listeners.add(done);
      signal.addEventListener("abort", done);
    });
  }

  /**
   * Adds what a comparison has changed (`nextReports`). Rejects with CERTWIRE_CHECKPOINT_FAILED, as the findings do, and with
   * the signal's reason; nothing has changed then.
   */
  async take(run: CompleteRun, signal?: AbortSignal): Promise<TakenRun> {
    const { startedMs, endedMs, rows } = run;
    const found = await nextReports(this.#reports, run, signal);
    const { reports, next, deletions, unlisted, taken } = found;
    const last = { startedMs, endedMs, rows, ...this.#unlistedAfter(run, unlisted) };
    const head = { ...this.#head, next, last, ...(deletions && { deletions }) };
    await this.#save(head, reports);
    for (const listener of this.#listeners) listener();
    return { ...taken, unlisted: this.unlisted };
  }

  #unlistedAfter(
    { endedMs, isFull }: CompleteRun,
    found: Readonly<Record<FindingClass, number>>,
  ): Pick<NonNullable<Head["last"]>, "unlisted" | "unlistedMs"> {
    const { unlisted: before, unlistedMs } = this.#head.last ?? {};
    const isNew = lastingOf(found) > (isFull ? lastingOf(before) : 0);
    const newestMs = isNew ? endedMs : unlistedMs;
    const unlisted = { ...found };
    if (!isFull && before !== undefined) {
      for (const each of findingClasses) unlisted[each] = Math.max(found[each], before[each]);
    }
    return { unlisted, ...(newestMs !== undefined && { unlistedMs: newestMs }) };
  }

  /** Lets the next comparison read every row. Rejects with CERTWIRE_CHECKPOINT_FAILED. */
  async compareAll(): Promise<void> {
    const { last, ...head } = this.#head;
    if (last === undefined) return;
    await this.#save({ ...head, sinceMs: last.startedMs }, this.#reports.reports);
  }

  async #save(head: Head, reports: readonly ReportedFinding[]): Promise<void> {
    try {
      await mkdir(dirname(this.#path), { recursive: true, mode: directoryModes.private });
      await replaceFile(this.#path, "private", linesOf([head, ...reports]));
    } catch (cause) {
      const message = `cannot write ${this.#path}`;
      throw new CertwireError("CERTWIRE_CHECKPOINT_FAILED", message, { cause });
    }
    this.#head = head;
    this.#reports = withOpen({ ...head, reports });
    this.#openOfClass = countClasses(this.#reports.open.values());
  }
}

async function readReports(
  path: string,
): Promise<{ head: Head; reports: ReportedFinding[] } | undefined> {
  try {
    const text = await readLimitedText(path, maxBytes).catch(ignoreMissing);
    if (text === undefined) return undefined;
    const [head = "", ...lines] = text.trimEnd().split("\n");
    const reports = lines.map((line) => reportShape.parse(JSON.parse(line)));
    return { head: headShape.parse(JSON.parse(head)), reports };
  } catch (cause) {
    const hint =
      "If the file is damaged, delete it: the next comparison reads every row, and reports again what is open.";
    throw new CertwireError("CERTWIRE_CHECKPOINT_FAILED", `cannot read ${path}`, { cause, hint });
  }
}

/**
 * Whoever replaced the file may have failed to make its name durable: a power cut would bring back the one before, and
 * later reports would get the numbers, and so the ids, of those that are published from this one.
 */
async function keepName(path: string): Promise<void> {
  try {
    await syncDirectory(dirname(path));
  } catch (cause) {
    const message = `cannot flush the directory of ${path}`;
    throw new CertwireError("CERTWIRE_CHECKPOINT_FAILED", message, { cause });
  }
}

function lastingOf(counts: Partial<Record<FindingClass, number>> = {}): number {
  return [...lastingClasses].reduce((sum, each) => sum + (counts[each] ?? 0), 0);
}

function areAscending(ranges: readonly Range[]): boolean {
  return ranges.every(([from, to], at) => from <= to && from > (ranges[at - 1]?.[1] ?? -1));
}

function* linesOf(values: readonly object[]): Generator<string> {
  for (const value of values) yield `${JSON.stringify(value)}\n`;
}
