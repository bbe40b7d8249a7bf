import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { clock } from "../clock.ts";
import { CertwireError } from "../errors/certwire-error.ts";
import {
  type FindingClass,
  findingClasses,
  findingStates,
  type ReportedFinding,
} from "../events/finding-event.ts";
import { directoryModes } from "../files/append-file.ts";
import { ignoreMissing } from "../files/existing.ts";
import { readLimitedText } from "../files/limited-text.ts";
import { replaceFile } from "../files/replace-file.ts";
import { mebibyte } from "../units.ts";
import type { Finding } from "./reconcile.ts";

const maxBytes = 64 * mebibyte;
/** Findings of a class that are open at the same time; a CA that deletes old rows makes one of each. */
const mostOpenOfClass = 2000;
/** Reports that are kept for a sink that does not take them. */
const mostKept = 50_000;

const ms = z.number();
const reportShape = z.object({
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

const headShape = z.object({
  version: z.literal(1),
  /** Number of the next report. */
  next: z.int().min(1),
  /** When the file was begun. */
  sinceMs: ms,
  /** When the last complete comparison began, and what it saw. */
  last: z.object({ startedMs: ms, rows: z.int(), unlisted: z.int() }).optional(),
});

type Head = z.infer<typeof headShape>;

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
  /** Every sink has the reports up to this number. */
  readonly acknowledged: number;
}

/** What a comparison has changed. */
export interface TakenRun {
  readonly opened: number;
  readonly resolved: number;
  /** Findings that are in the file of the comparison only, because too many are open. */
  readonly unlisted: number;
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
  /** By rising number. */
  #reports: readonly ReportedFinding[];

  private constructor(path: string, head: Head, reports: readonly ReportedFinding[]) {
    this.#path = path;
    this.#head = head;
    this.#reports = reports;
  }

  /** Reads the file, and begins it if there is none. Rejects with CERTWIRE_CHECKPOINT_FAILED. */
  static async open(path: string): Promise<ReportedFindings> {
    try {
      const text = await readLimitedText(path, maxBytes).catch(ignoreMissing);
      if (text !== undefined) {
        const [head = "", ...lines] = text.trimEnd().split("\n");
        const reports = lines.map((line) => reportShape.parse(JSON.parse(line)));
        return new ReportedFindings(path, headShape.parse(JSON.parse(head)), reports);
      }
    } catch (cause) {
      const hint =
        "If the file is damaged, delete it: the next comparison reads every row, and reports again what is open.";
      throw new CertwireError("CERTWIRE_CHECKPOINT_FAILED", `cannot read ${path}`, { cause, hint });
    }
    const sinceMs = clock.time();
    // In a file that follows one that was deleted the numbers are higher: sinks have those of the earlier one already.
    const next = Math.max(1, Math.floor(sinceMs / 1000));
    const begun = new ReportedFindings(path, { version: 1, next, sinceMs }, []);
    await begun.#save(begun.#head, []);
    return begun;
  }

  /** When the last complete comparison began, what it saw, and when the file was begun. */
  get state(): Pick<Head, "last" | "sinceMs"> {
    return this.#head;
  }

  /** Number of open findings of each class. */
  get openOfClass(): Readonly<Record<FindingClass, number>> {
    return countClasses(this.#open().values());
  }

  /** Requests with open findings, those of rows that were deleted left out, by rising number of the report. */
  get openRequests(): number[] {
    const open = [...this.#open().values()].filter((report) => report.class !== "deleted");
    return [...new Set(open.flatMap(({ requestId }) => requestId ?? []))];
  }

  /** Requests, by their number, and CRLs, by their subject, that have open findings. */
  get openAbout(): ReadonlySet<number | string> {
    return new Set([...this.#open().values()].map(({ requestId, crl }) => requestId ?? crl ?? ""));
  }

  /** The reports with a greater number, by rising number. */
  after(number: number): readonly ReportedFinding[] {
    return this.#reports.filter((report) => report.number > number);
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
   * Adds a report for each finding that was not open before, and one for each that was and is not found any more. Rejects
   * with CERTWIRE_CHECKPOINT_FAILED, and as the findings do; nothing has changed then.
   */
  async take(run: CompleteRun): Promise<TakenRun> {
    const { ca, startedMs, endedMs, acknowledged, rows } = run;
    const open = this.#open();
    const counts = { ...countClasses(open.values()) };
    const added: ReportedFinding[] = [];
    const found = new Set<string>();
    let { next } = this.#head;
    let unlisted = 0;
    const hasSpace = () => this.#reports.length + added.length < mostKept;
    for await (const finding of run.findings) {
      const report = reportOf(finding, { number: next, ca, foundMs: startedMs });
      const key = keyOf(report);
      if (found.has(key)) continue;
      found.add(key);
      if (open.has(key)) continue;
      if (counts[report.class] >= mostOpenOfClass || !hasSpace()) {
        unlisted += 1;
        continue;
      }
      counts[report.class] += 1;
      added.push(report);
      next += 1;
    }
    const opened = added.length;
    for (const [key, report] of open) {
      const isOver = !found.has(key) && report.ca.name === ca.name && run.hasCompared(report);
      if (!isOver || !hasSpace()) continue;
      added.push({ ...report, number: next, state: "resolved", resolvedMs: endedMs });
      next += 1;
      open.delete(key);
    }
    const stillOpen = new Set([...open.values()].map(({ number }) => number));
    const kept = this.#reports.filter(
      ({ number }) => number > acknowledged || stillOpen.has(number),
    );
    const reports = [...kept, ...added];
    const head = { ...this.#head, next, last: { startedMs, rows, unlisted } };
    await this.#save(head, reports);
    for (const listener of this.#listeners) listener();
    return { opened, resolved: added.length - opened, unlisted };
  }

  /** Lets the next comparison look at every row. Rejects with CERTWIRE_CHECKPOINT_FAILED. */
  async compareAll(): Promise<void> {
    const { last, ...head } = this.#head;
    if (last !== undefined) await this.#save({ ...head, sinceMs: last.startedMs }, this.#reports);
  }

  /** The open findings by what makes them the same. */
  #open(): Map<string, ReportedFinding> {
    const open = new Map<string, ReportedFinding>();
    for (const report of this.#reports) {
      if (report.state === "open") open.set(keyOf(report), report);
      else open.delete(keyOf(report));
    }
    return open;
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
    this.#reports = reports;
  }
}

function* linesOf(values: readonly object[]): Generator<string> {
  for (const value of values) yield `${JSON.stringify(value)}\n`;
}

function countClasses(reports: Iterable<ReportedFinding>): Record<FindingClass, number> {
  const counts = { missing: 0, state: 0, changed: 0, unknown: 0, deleted: 0 };
  for (const report of reports) counts[report.class] += 1;
  return counts;
}

function reportOf(
  finding: Finding,
  { number, ca, foundMs }: Pick<ReportedFinding, "number" | "ca" | "foundMs">,
): ReportedFinding {
  const { missing, time } = finding;
  return reportShape.parse({
    number,
    state: "open",
    class: finding.class,
    ca,
    ...("crl" in finding ? { crl: finding.crl } : { requestId: finding.requestId }),
    missing,
    ...(time !== undefined && { happenedMs: Date.parse(time) }),
    ...("detail" in finding && finding.detail !== undefined && { detail: finding.detail }),
    foundMs,
  });
}

/** Two findings with the same one are the same; another request with a number that was given again has another time. */
function keyOf({ ca, requestId, crl, class: found, missing, happenedMs }: ReportedFinding): string {
  return JSON.stringify([ca.name, requestId ?? crl, found, missing, happenedMs]);
}
