import { clock } from "../clock.ts";
import { type FindingClass, findingClasses, findingDetails } from "../events/finding-event.ts";
import { rowFacts } from "../events/row-events.ts";
import { unixMsOf } from "../events/times.ts";
import type { ExitRecord } from "../exit/record.ts";
import type { NativeCaFacts } from "../native/ca-database.ts";
import type { ReconcileLayout } from "../state/layout.ts";
import { Backfilled, compareWithBackfilled } from "./backfilled.ts";
import { changedRows } from "./changed-rows.ts";
import {
  type ComparedCrl,
  type CrlClass,
  CrlComparison,
  crlClasses,
  crlPart,
} from "./compare-crls.ts";
import {
  type Comparison,
  type ComparisonLimits,
  compareAbsent,
  type RequestClass,
  requestClasses,
} from "./compare-row.ts";
import { ContentIndex, crlRequestId, type IndexEntry } from "./content-index.ts";
import { FindingsFile, hasFindings } from "./findings-file.ts";
import type { Contents } from "./journal-contents.ts";
import { type Identified, identifyBoth } from "./known-database.ts";
import { emptyRun, type RunningState } from "./run-file.ts";
import {
  type Compared,
  defaultSettleMs,
  groupByPart,
  groupIds,
  type OwnEntries,
  ownEntries,
  walkDatabase,
} from "./walk-database.ts";

/** How journal and database are compared. */
export interface ReconcileOptions extends Compared, Identified {
  readonly paths: ReconcileLayout;
  /**
   * Only what has changed since this, in ms since 1970; `full`: every row. Default: since the last complete run, every
   * row if there was none, or if a run over every row was interrupted. A run that begins later than the default would is
   * not complete: the next one begins where it would have begun without it.
   */
  readonly since?: number | "full";
  /** How long before a row was read something may have happened that is not in the journal yet, in ms. Default 10 min. */
  readonly settleMs?: number;
  /** Called with what the CA says of itself, before the first row. */
  readonly identified?: (facts: NativeCaFacts) => void;
  /** Called with the number up to which rows were compared, and the greatest one, as far as it is known. */
  readonly progress?: (done: number, total: number | undefined) => void;
  /** Called with the number of CRLs that were compared. */
  readonly crlProgress?: (done: number) => void;
  /** Requests that are compared in any case, such as those that differed before. Default none. */
  readonly again?: readonly number[];
  /** CRLs, by their subject, that are asked about likewise: each run compares all that there are. Default none. */
  readonly againCrls?: readonly string[];
  /**
   * Called for each request, by its number, and each CRL, by its subject, of which the comparison has a result: also for
   * those of `again` and `againCrls` that neither the database has any more nor the journal.
   */
  readonly compared?: (about: number | string) => void;
  /**
   * True to leave a run over every row that is complete as one that was stopped, so that it costs nothing to go on with it
   * until the caller has kept what it found (`RunFile.end`). Default false.
   */
  readonly staysRunning?: boolean;
  /** The time now, in ms since 1970. Default that of the machine. */
  readonly now?: () => number;
}

/** A request that somebody should check. */
export interface RequestFinding {
  readonly class: FindingClass;
  readonly requestId: number;
  /** What the journal does not have. */
  readonly missing: readonly string[];
  /** When the last of it happened, RFC 3339. */
  readonly time?: string;
  /** What differs, for people. */
  readonly detail?: string;
}

/** A CRL that somebody should check. */
export interface CrlFinding {
  readonly class: "missing";
  /** Subject of its event. */
  readonly crl: string;
  readonly missing: readonly string[];
  /** When it was published, RFC 3339. */
  readonly time?: string;
}

/** What somebody should check. */
export type Finding = RequestFinding | CrlFinding;

/** What came of a comparison. */
export interface ReconcileReport {
  /** Name of the CA. */
  readonly ca: string;
  /** What the database was compared with. */
  readonly comparedWith: Contents["noun"];
  readonly mode: "full" | "since";
  /** Since when, RFC 3339, in the mode `since`. */
  readonly since?: string;
  /** From when on the journal is known, RFC 3339; absent if it was empty. */
  readonly coveredSince?: string;
  /** Rows of the database that were compared. */
  readonly rows: number;
  /** Requests of each class. */
  readonly counts: Readonly<Record<RequestClass, number>>;
  /** CRLs of each class. Every run compares all that the database keeps. */
  readonly crls: Readonly<Record<CrlClass, number>>;
  /** What the journal has about another CA. */
  readonly otherCa: number;
  /** The first ones; all are in the file. */
  readonly findings: readonly Finding[];
  readonly unlisted: number;
  readonly findingsFile: string;
  /** True if the run was stopped; the next one goes on where it was. */
  readonly isInterrupted: boolean;
}

/** A run compares so much of the time before the last one again: clocks, and rows that were not settled. */
export const overlapMs = 3_600_000;

/** False where the journal cannot say yet, or not any more, whether it had something. */
function hasResult(found: RequestClass | CrlClass): boolean {
  return found !== "unsettled" && found !== "history";
}

/** True for a class whose requests somebody should check. */
function isNotable(found: RequestClass): found is FindingClass {
  return (findingClasses as readonly RequestClass[]).includes(found);
}

/**
 * Compares the database of a CA with the journal. A signal ends it early, with a report of what was compared. Rejects as
 * `CaDatabase` does, and with CERTWIRE_CA_DATABASE_RESTORED, CERTWIRE_JOURNAL_UNREADABLE and CERTWIRE_CHECKPOINT_FAILED.
 */
export async function reconcile(
  options: ReconcileOptions,
  signal: AbortSignal,
): Promise<ReconcileReport> {
  const { acceptsRestored = false } = options;
  const facts = await identifyBoth(options, signal);
  options.identified?.(facts);
  const sinceMs = acceptsRestored ? undefined : beginningOf(options);
  const changes =
    sinceMs === undefined ? undefined : await compareChanges(options, facts, sinceMs, signal);
  if (changes !== undefined) return changes;
  const comparing = await Comparing.open(options, facts, true);
  await comparing.until(signal, async () => {
    await comparing.compareAll(signal);
    await comparing.compareCrls(signal);
  });
  return comparing.end(undefined, signal);
}

/** `undefined` if so much has changed since that every row has to be compared. */
async function compareChanges(
  options: ReconcileOptions,
  facts: NativeCaFacts,
  sinceMs: number,
  signal: AbortSignal,
): Promise<ReconcileReport | undefined> {
  const comparing = await Comparing.open(options, facts, false);
  let isWhole = true;
  await comparing.until(signal, async () => {
    isWhole = await comparing.compareSince(sinceMs, signal);
    if (isWhole) await comparing.compareCrls(signal);
  });
  return isWhole ? comparing.end(sinceMs, signal) : undefined;
}

/** Where to begin, in ms since 1970; `undefined` for every row. */
function beginningOf({
  since,
  run: { state },
  now = () => clock.time(),
}: ReconcileOptions): number | undefined {
  if (since === "full") return undefined;
  if (since !== undefined) return since;
  if (state.running !== undefined || state.completeMs === undefined) return undefined;
  // The clock was ahead then, and may have been set right at any time since.
  if (state.completeMs > now()) return undefined;
  return state.completeMs - overlapMs;
}

/** One comparison, and the file of what it finds. */
export class Comparing {
  readonly #options: ReconcileOptions;
  readonly #facts: NativeCaFacts;
  readonly #findings: FindingsFile;
  readonly #startedMs: number;
  readonly #backfilled: Backfilled;
  readonly #crls: Partial<Record<CrlClass, number>> = {};
  /** Of the entries that are compared now. */
  #otherNames: readonly string[] = [];
  #running: RunningState;

  private constructor(
    options: ReconcileOptions,
    facts: NativeCaFacts,
    findings: FindingsFile,
    running: RunningState,
    backfilled: Backfilled,
  ) {
    this.#options = options;
    this.#facts = facts;
    this.#findings = findings;
    this.#running = running;
    this.#startedMs = running.startedMs;
    this.#backfilled = backfilled;
  }

  /** `mayContinue`: where an interrupted run over every row has stopped. */
  static async open(
    options: ReconcileOptions,
    facts: NativeCaFacts,
    mayContinue: boolean,
  ): Promise<Comparing> {
    const { run, paths, contents, now = () => clock.time() } = options;
    const startedMs = Math.min(now(), contents.knownUntilMs ?? Number.POSITIVE_INFINITY);
    const path = mayContinue ? paths.findings : paths.changes;
    const stopped = mayContinue ? run.state.running : undefined;
    const goesOn = stopped !== undefined && (await hasFindings(path, stopped.findingsBytes));
    const running = goesOn ? stopped : emptyRun(startedMs);
    const findings = await FindingsFile.open(path, running);
    const backfilled = await Backfilled.open(paths.publishedDirectory);
    return new Comparing(options, facts, findings, running, backfilled);
  }

  /** Does the work, until its end or the signal, and closes the file. Rejects with the error of the work. */
  async until(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      await this.#findings.close();
    }
  }

  get #nowMs(): number {
    return this.#options.now?.() ?? clock.time();
  }

  /** Compares every row, from where the run was. */
  async compareAll(signal: AbortSignal): Promise<void> {
    const { database, run, progress, again = [], compared } = this.#options;
    const total = (await database.newest(signal))?.context;
    const place = { facts: this.#facts, after: this.#running.after };
    // What an interrupted run has compared is not known any more.
    const unseen = new Set(again.filter((id) => id > place.after));
    for await (const { part, rows, entries, readMs } of walkDatabase(
      this.#options,
      place,
      signal,
    )) {
      this.#otherNames = entries.otherNames;
      this.#compareRows(rows, entries, await this.#backfilled.read(part));
      const seen = new Set(rows.map(({ context }) => context));
      for (const [id, own] of entries.byRequest) {
        if (!seen.has(id) && this.#addAbsent(id, own, readMs)) compared?.(id);
      }
      for (const id of [...seen, ...entries.byRequest.keys()]) unseen.delete(id);
      this.#running.otherCa += entries.others;
      const after = ContentIndex.lastRequestOf(part);
      Object.assign(this.#running, { after, movedMs: this.#nowMs });
      await this.#findings.write(this.#running);
      await run.save({ running: this.#running });
      progress?.(rows.at(-1)?.context ?? this.#running.after, total);
    }
    for (const id of unseen) compared?.(id);
  }

  /** Compares what has changed; false if that is too much to be kept in memory. */
  async compareSince(sinceMs: number, signal: AbortSignal): Promise<boolean> {
    const { contents, journal, progress, again = [] } = this.#options;
    const newest = await this.#options.database.newest(signal);
    const rows = await changedRows(this.#options, { sinceMs, upTo: newest?.context ?? 0 }, signal);
    if (rows === undefined) return false;
    await contents.update(journal, signal);
    const byPart = groupByPart(rows.values());
    const wanted = new Set(again);
    const parts = new Set([
      ...byPart.keys(),
      ...again.map((id) => ContentIndex.partOf(id)),
      ...(await contents.parts()),
    ]);
    for (const part of [...parts].toSorted((a, b) => a - b)) {
      signal.throwIfAborted();
      await this.#comparePart(part, byPart.get(part) ?? [], { sinceMs, again: wanted }, signal);
      progress?.(this.#running.rows, rows.size);
    }
    await this.#findings.write(this.#running);
    return true;
  }

  /** Compares requests, whose numbers rise, and nothing else. */
  async compareOnly(requests: readonly number[], signal: AbortSignal): Promise<void> {
    for (const [part, ids] of groupIds(requests)) {
      await this.#compareRequests({ part, changed: [], ids, asked: ids }, signal);
      await this.#findings.write(this.#running);
    }
  }

  /** Compares the rows of a part that have changed, and what else is to be compared there. */
  async #comparePart(
    part: number,
    changed: readonly ExitRecord[],
    { sinceMs, again }: { readonly sinceMs: number; readonly again: ReadonlySet<number> },
    signal: AbortSignal,
  ): Promise<void> {
    const { byRequest } = await ownEntries(this.#options.contents, this.#facts, part);
    const isNew = ({ timeSeconds }: IndexEntry): boolean => timeSeconds * 1000 >= sinceMs;
    const others = new Set([
      ...[...byRequest].filter(([, own]) => own.some(isNew)).map(([id]) => id),
      ...[...again].filter((id) => ContentIndex.partOf(id) === part),
    ]);
    for (const { context } of changed) others.delete(context);
    const ids = [...others].toSorted((a, b) => a - b);
    // That a row is not there is expected of what is not stored; one of which a finding is open was there.
    const isUnstored = (id: number) => byRequest.get(id)?.some((entry) => entry.isUnstored);
    const asked = ids.filter((id) => again.has(id) || !isUnstored(id));
    await this.#compareRequests({ part, changed, ids, asked }, signal);
  }

  /** Compares the CRLs; a run that is stopped meanwhile begins with them anew. */
  async compareCrls(signal: AbortSignal): Promise<void> {
    const { settleMs = defaultSettleMs, now = () => clock.time(), crlProgress } = this.#options;
    const { againCrls = [], compared: hasResultOf } = this.#options;
    const unseen = new Set(againCrls);
    const published = (await this.#backfilled.read(crlPart)).get(crlRequestId) ?? [];
    const options = { ...this.#options, facts: this.#facts, published, settleMs };
    const comparison = new CrlComparison(options);
    const startedMs = now();
    let done = 0;
    for await (const compared of comparison.rows(signal)) {
      this.#addCrl(compared);
      unseen.delete(compared.fact.subject);
      done += 1;
      crlProgress?.(done);
    }
    // A CA deletes CRLs that have expired.
    if (comparison.isWhole) for (const subject of unseen) hasResultOf?.(subject);
    const { deleted, unsettled } = comparison.onlyInJournal(startedMs);
    this.#countCrls("deleted", deleted);
    this.#countCrls("unsettled", unsettled);
    await this.#findings.write(this.#running);
  }

  #addCrl({ class: found, fact: { subject, timeMs } }: ComparedCrl): void {
    this.#countCrls(found, 1);
    if (hasResult(found)) this.#options.compared?.(subject);
    if (found !== "missing") return;
    this.#findings.add({
      class: found,
      crl: subject,
      missing: ["crl.issued"],
      ...(timeMs !== undefined && { time: new Date(timeMs).toISOString() }),
    });
  }

  #countCrls(found: CrlClass, count: number): void {
    this.#crls[found] = (this.#crls[found] ?? 0) + count;
  }

  /**
   * Compares requests of a part: rows that were read, and others by their numbers, which rise. `asked`: those of them that the
   * database may have.
   */
  async #compareRequests(
    {
      part,
      changed,
      ids,
      asked,
    }: {
      readonly part: number;
      readonly changed: readonly ExitRecord[];
      readonly ids: readonly number[];
      readonly asked: readonly number[];
    },
    signal: AbortSignal,
  ): Promise<void> {
    const { database, contents, journal, compared } = this.#options;
    const askedMs = this.#nowMs;
    const rows = new Map<number, ExitRecord>();
    for await (const row of database.rows(asked, signal, "scan")) rows.set(row.context, row);
    // After the rows, which may wait for hours, so that what happens meanwhile is not taken for missing.
    if (asked.length > 0) await contents.update(journal, signal);
    signal.throwIfAborted();
    const entries = await ownEntries(contents, this.#facts, part);
    this.#otherNames = entries.otherNames;
    this.#compareRows([...changed, ...rows.values()], entries, await this.#backfilled.read(part));
    const isAsked = new Set(asked);
    for (const id of ids.filter((each) => !rows.has(each))) {
      const own = entries.byRequest.get(id);
      const isCompared = own === undefined || this.#addAbsent(id, own, askedMs);
      if (isCompared && isAsked.has(id)) compared?.(id);
    }
  }

  #compareRows(
    rows: readonly ExitRecord[],
    { byRequest }: OwnEntries,
    published: ReadonlyMap<number, IndexEntry[]>,
  ): void {
    for (const row of rows) {
      this.#addRow(row, byRequest.get(row.context) ?? [], published.get(row.context) ?? []);
    }
  }

  #addRow(row: ExitRecord, entries: readonly IndexEntry[], published: readonly IndexEntry[]): void {
    this.#running.rows += 1;
    const limits = this.#limits(unixMsOf(row.time));
    const comparison = compareWithBackfilled(row, entries, published, limits);
    this.#count(comparison);
    if (hasResult(comparison.class)) this.#options.compared?.(row.context);
    if (!isNotable(comparison.class)) return;
    const missing = comparison.missing.map(({ kind }) => kind);
    const facts = comparison.missing.length > 0 ? comparison.missing : rowFacts(row);
    const timeMs = facts.at(-1)?.timeMs;
    this.#findings.add({
      class: comparison.class,
      requestId: row.context,
      missing,
      ...(timeMs !== undefined && { time: new Date(timeMs).toISOString() }),
      ...(comparison.detail !== undefined && { detail: comparison.detail }),
    });
  }

  /** A request that the database did not have when it was asked; false while that may still change. */
  #addAbsent(requestId: number, entries: readonly IndexEntry[], askedMs = this.#nowMs): boolean {
    const comparison = compareAbsent(entries, this.#limits(askedMs));
    this.#count(comparison ?? { class: "unsettled", missing: [] });
    if (comparison?.class !== "deleted") return comparison !== undefined;
    const last = entries.at(-1);
    const time = new Date((last?.timeSeconds ?? 0) * 1000).toISOString();
    const detail = findingDetails.deleted(this.#options.contents.noun, last?.kind ?? "it");
    this.#findings.add({ class: "deleted", requestId, missing: [], time, detail });
    return true;
  }

  #count({ class: found }: Comparison): void {
    const { counts } = this.#running;
    counts[found] = (counts[found] ?? 0) + 1;
  }

  #limits(readMs: number): ComparisonLimits {
    const { contents, settleMs = defaultSettleMs } = this.#options;
    const { coveredSinceMs, noun, knownUntilMs } = contents;
    const otherNames = this.#otherNames;
    return { readMs, knownUntilMs, settleMs, coveredSinceMs, otherNames, noun };
  }

  /** Remembers a run that was not stopped as the last complete one, if it reached back to the one before. */
  async #complete(sinceMs: number | undefined): Promise<void> {
    const { run, staysRunning = false } = this.#options;
    const { completeMs: lastMs } = run.state;
    const completeMs = this.#startedMs;
    if (sinceMs === undefined) {
      if (!staysRunning) await run.end();
    } else if (lastMs !== undefined && sinceMs <= lastMs - overlapMs) {
      await run.save({ completeMs });
    }
  }

  /** The report. */
  async end(sinceMs: number | undefined, signal: AbortSignal): Promise<ReconcileReport> {
    const { contents } = this.#options;
    if (!signal.aborted) await this.#complete(sinceMs);
    const { rows, otherCa, counts } = this.#running;
    const { coveredSinceMs } = contents;
    return {
      ca: this.#facts.name,
      comparedWith: contents.noun,
      mode: sinceMs === undefined ? "full" : "since",
      ...(sinceMs !== undefined && { since: new Date(sinceMs).toISOString() }),
      ...(coveredSinceMs !== undefined && { coveredSince: new Date(coveredSinceMs).toISOString() }),
      rows,
      counts: Object.fromEntries(requestClasses.map((each) => [each, counts[each] ?? 0])) as Record<
        RequestClass,
        number
      >,
      crls: Object.fromEntries(crlClasses.map((each) => [each, this.#crls[each] ?? 0])) as Record<
        CrlClass,
        number
      >,
      otherCa,
      findings: this.#findings.first,
      unlisted: this.#findings.count - this.#findings.first.length,
      findingsFile: this.#findings.path,
      isInterrupted: signal.aborted,
    };
  }
}
