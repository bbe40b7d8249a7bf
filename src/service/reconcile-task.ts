import type { Logger } from "pino";
import type { CaDatabase } from "../ca-database/ca-database.ts";
import { clock } from "../clock.ts";
import type { ResolvedConfig } from "../config/load.ts";
import type { ReconcileOptions } from "../config/reconcile-options.ts";
import { CertwireError } from "../errors/certwire-error.ts";
import { describeError } from "../errors/describe-error.ts";
import { caIdOf } from "../events/ca-identity.ts";
import type { ReportedFinding } from "../events/finding-event.ts";
import { lockDirectory } from "../files/directory-lock.ts";
import type { ReconcileFacts } from "../health/facts.ts";
import { logLine } from "../log/log-line.ts";
import type { NativeFileLock } from "../native/addon.ts";
import type { NativeCaFacts } from "../native/ca-database.ts";
import { pause } from "../pipeline/waiting.ts";
import { findingsNow } from "../reconcile/findings-now.ts";
import { JournalContents } from "../reconcile/journal-contents.ts";
import {
  type ReconcileOptions as ComparisonOptions,
  overlapMs,
  reconcile,
} from "../reconcile/reconcile.ts";
import { ReportedFindings } from "../reconcile/reported-findings.ts";
import { RunFile, type RunState } from "../reconcile/run-file.ts";
import { nextTime, overdueAfter } from "../reconcile/schedule.ts";
import type { StateLayout } from "../state/layout.ts";
import { FindingsPublisher } from "./findings-publisher.ts";

/** Opens the database of the CA. `waiting`: called when the CA does not answer, with the delay until the next try in ms. */
export type OpenCaDatabase = (
  options: Pick<ReconcileOptions, "ca" | "hours" | "share">,
  waiting: (error: Error, delayMs: number) => void,
) => CaDatabase;

/** What the scheduled comparison works on. */
export interface ReconcileTaskOptions {
  readonly config: Pick<ResolvedConfig, "journal" | "events" | "sinks">;
  readonly schedule: ReconcileOptions;
  readonly layout: StateLayout;
  readonly openDatabase: OpenCaDatabase;
  readonly log: Logger;
}

/** Requests with open findings that are compared again each time: each is a query of its own. */
const mostAgain = 1000;
/** How long to wait before files that cannot be read, or a CA that refuses, are tried again; in ms. */
const againMs = 600_000;
/** Longest wait in one piece, in ms: somebody may set the clock, and a command that holds the lock may end. */
const longestWaitMs = 60_000;
/** How often every row is compared at most to find again what was too many, in ms. */
const fullForSpaceMs = 86_400_000;
/** How often what is new in the journal is read without a comparison, in ms: retention may take it before the next one. */
const journalEveryMs = 3_600_000;

/**
 * Compares the CA's database with the journal on a schedule and publishes what differs, with a checkpoint of its own for
 * each sink: neither the comparison nor another sink holds up a sink. Only one of it and `certwire reconcile` runs at a
 * time.
 */
export class ReconcileTask {
  readonly #options: ReconcileTaskOptions;
  /** One for each enabled sink, once the reports are known. */
  #publishers: readonly FindingsPublisher[] = [];
  #reported: ReportedFindings | undefined;
  #isRunning = false;
  #failures = 0;
  /** Why the last comparison failed. */
  #failure: ReconcileFacts["failure"];
  #mayRead: boolean | undefined;
  /** The failure that says so. */
  #refusal: ReconcileFacts["failure"];
  #database: CaDatabase | undefined;
  /** When the CA was last asked for that without a comparison, by `clock.now`. */
  #askedMs = Number.NEGATIVE_INFINITY;
  /** When the next comparison begins, in ms since 1970; `undefined` while one runs. */
  #nextMs: number | undefined;
  /** What keeps a comparison from beginning now. */
  #obstacle: ReconcileFacts["failure"];
  /** The earliest time that the clock has shown since the last complete comparison began, in ms since 1970. */
  #earliestMs = clock.time();
  /** The same since it ended. */
  #earliestSinceEndMs = clock.time();
  /** When a comparison last had compared some more, in ms since 1970. */
  #movedMs = 0;

  constructor(options: ReconcileTaskOptions) {
    this.#options = options;
  }

  /** What is known of the comparisons now. */
  get facts(): ReconcileFacts {
    const reported = this.#reported;
    const failure = this.#obstacle ?? this.#failure;
    const { last, sinceMs } = reported?.state ?? {};
    const { schedule } = this.#options;
    const begin = last?.endedMs ?? sinceMs;
    const lastingMs = reported?.newestLastingMs;
    return {
      isRunning: this.#isRunning,
      ...(this.#mayRead !== undefined && { mayRead: this.#mayRead }),
      failures: this.#failures,
      ...(failure && { failure }),
      ...reported?.lastFacts,
      ...(reported && { open: reported.openOfClass }),
      ...(lastingMs !== undefined && { lastingMs }),
      unpublished: this.#publishers.map(({ facts }) => facts),
      ...(this.#nextMs !== undefined && { nextMs: this.#nextMs }),
      ...(begin !== undefined && {
        // One of every row may take several nights. One that ended by a clock that was ahead is not waited for.
        overdueMs: overdueAfter(
          schedule,
          Math.max(this.#movedMs, Math.min(begin, this.#earliestSinceEndMs)),
        ),
      }),
    };
  }

  /** Compares and publishes until the signal is aborted. Never rejects: what fails is logged and tried again. */
  async keep(signal: AbortSignal): Promise<void> {
    const reported = await this.#untilDone(() => this.#open(), signal);
    if (reported === undefined) return;
    this.#reported = reported;
    this.#publishers = this.#options.config.sinks
      .filter(({ options }) => options.enabled)
      .map((sink) => new FindingsPublisher({ ...this.#options, sink, reported }));
    await Promise.all([
      this.#watchClock(signal),
      this.#compareOnTime(reported, signal),
      ...this.#publishers.map((publisher) => publisher.keep(signal)),
    ]);
  }

  async #open(): Promise<ReportedFindings> {
    const reported = await ReportedFindings.open(this.#options.layout.reconcile.reported);
    // What is wrong with it the comparison reports; the findings are known without it.
    const run = await RunFile.open(this.#options.layout.reconcile.run).catch(() => undefined);
    this.#movedMs = Math.min(run?.state.running?.movedMs ?? 0, clock.time());
    // The clock was ahead then, and was set right while the service did not run, nobody knows when.
    if ((reported.state.last?.startedMs ?? 0) > clock.time()) await reported.compareAll();
    return reported;
  }

  /** Notices that the clock was set back: what happens then has a date before the last comparison. */
  async #watchClock(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const now = clock.time();
      this.#earliestMs = Math.min(this.#earliestMs, now);
      this.#earliestSinceEndMs = Math.min(this.#earliestSinceEndMs, now);
      this.#movedMs = Math.min(this.#movedMs, now);
      await pause(longestWaitMs, signal);
    }
  }

  /** Does what a comparison needs first, and again later if it fails. `undefined` only if the signal was aborted. */
  async #untilDone<T>(step: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    const { log } = this.#options;
    let isWaiting = false;
    while (!signal.aborted) {
      try {
        const done = await step();
        this.#obstacle = undefined;
        return done;
      } catch (error) {
        const isLocked = hasCode(error, "CERTWIRE_DIRECTORY_IN_USE");
        if (isLocked) {
          this.#obstacle = undefined;
          if (!isWaiting)
            logLine(log, "the comparison waits for another one", describeError(error));
          isWaiting = true;
        } else {
          this.#obstacle = failureAfter(this.#obstacle, error);
          logLine(log, "cannot compare the CA's database with the journal", describeError(error));
        }
        await pause(isLocked ? longestWaitMs : againMs, signal);
      }
    }
    return undefined;
  }

  async #compareOnTime(reported: ReportedFindings, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#untilDue(reported, signal);
      const lock = await this.#untilDone(() => this.#lock(), signal);
      if (lock === undefined) return;
      const earliestMs = this.#earliestMs;
      this.#earliestMs = clock.time();
      this.#isRunning = true;
      this.#nextMs = undefined;
      let isComplete = false;
      try {
        isComplete = await this.#compare(reported, earliestMs, signal);
      } catch (error) {
        if (!signal.aborted) this.#fail(error);
      } finally {
        if (isComplete) this.#earliestSinceEndMs = clock.time();
        else this.#earliestMs = Math.min(this.#earliestMs, earliestMs);
        this.#isRunning = false;
        lock.release();
      }
    }
  }

  #lock(): Promise<NativeFileLock> {
    const { directory, lockName } = this.#options.layout.reconcile;
    return lockDirectory(directory, lockName, "private");
  }

  /** Waits for the next time of the schedule, or the signal. */
  async #untilDue({ state: { last } }: ReportedFindings, signal: AbortSignal): Promise<void> {
    const { schedule } = this.#options;
    let due = nextTime(schedule, clock.time(), last?.startedMs);
    let readAtMs = clock.now() + journalEveryMs;
    while (clock.time() < due && !signal.aborted) {
      this.#nextMs = due;
      await this.#askRight(signal);
      if (clock.now() >= readAtMs) {
        await this.#readJournal(signal);
        readAtMs = clock.now() + journalEveryMs;
      }
      await pause(Math.min(Math.max(0, due - clock.time()), longestWaitMs), signal);
      // Earlier if the clock was set back.
      due = Math.min(due, nextTime(schedule, clock.time(), last?.startedMs));
    }
  }

  /** Remembers what is new in the journal, unless a command does. Never rejects. */
  async #readJournal(signal: AbortSignal): Promise<void> {
    const { config, layout, log } = this.#options;
    let lock: NativeFileLock | undefined;
    try {
      lock = await this.#lock();
      const contents = await JournalContents.open(layout.reconcile);
      await contents.update(config.journal.directory, signal);
    } catch (error) {
      if (hasCode(error, "CERTWIRE_DIRECTORY_IN_USE")) return;
      logLine(log, "cannot read the journal before a comparison", describeError(error));
    } finally {
      lock?.release();
    }
  }

  /**
   * Learns whether the account may read, at the start and not at the first time of the schedule, and again every 10 minutes
   * until it may.
   */
  async #askRight(signal: AbortSignal): Promise<void> {
    const { log } = this.#options;
    if (this.#mayRead === true || clock.now() < this.#askedMs + againMs) return;
    this.#askedMs = clock.now();
    const wasRefused = this.#mayRead === false;
    try {
      await this.#openDatabase().readableFacts(signal);
      this.#mayRead = true;
      // Another failure since stays.
      if (this.#failure === this.#refusal) this.#failure = undefined;
    } catch (error) {
      // What else is wrong may pass before the comparison, which reports it.
      if (!hasCode(error, "CERTWIRE_CA_DATABASE_REFUSED")) return;
      this.#refuse(error);
      if (!wasRefused) {
        logLine(log, "cannot compare the CA's database with the journal", describeError(error));
      }
    }
  }

  /** The same again while a call of it hangs: no further one is made before that is back. */
  #openDatabase(): CaDatabase {
    const { schedule, openDatabase, log } = this.#options;
    if (this.#database?.isStuck) return this.#database;
    this.#database = openDatabase(schedule, (error, delayMs) =>
      logLine(log, "the CA's database is busy; it is read again later", {
        delayMs,
        ...describeError(error),
      }),
    );
    return this.#database;
  }

  /** True if all was compared. `earliestMs`: the earliest time that the clock has shown since the last time. */
  async #compare(
    reported: ReportedFindings,
    earliestMs: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { config, schedule, layout, log } = this.#options;
    const paths = layout.reconcile;
    const database = this.#openDatabase();
    const { last } = reported.state;
    const nowMs = clock.time();
    const { run, before } = await openRun(paths.run, { lastMs: last?.startedMs, nowMs });
    const lastMs = last && Math.min(last.startedMs, earliestMs);
    const places = this.#publishers.map(({ number }) => number);
    const since = this.#beginningOf(run.state, lastMs, nowMs, reported.hasSpace(places));
    const open = reported.openAbout;
    const compared = new Set<number | string>();
    logLine(log, "comparing the CA's database with the journal", {});
    let facts: NativeCaFacts | undefined;
    const options: ComparisonOptions = {
      database,
      contents: await JournalContents.open(paths),
      journal: config.journal.directory,
      paths,
      run,
      waitsForCa: true,
      identified: (found) => {
        facts = found;
      },
      since,
      again: someOf(reported.openRequests, Math.floor(nowMs / schedule.everyMs)),
      againCrls: reported.openCrls,
      compared: (about) => {
        if (open.has(about)) compared.add(about);
      },
      staysRunning: true,
      progress: () => {
        this.#movedMs = clock.time();
      },
    };
    const report = await reconcile(options, signal);
    if (report.isInterrupted || facts === undefined) return false;
    const isFull = report.mode === "full";
    const { rows, findingsFile: path, coveredSince = "" } = report;
    const ended = { facts, path, before: isFull ? before : 0 };
    const findings = await findingsNow(options, ended, signal);
    if (signal.aborted) return false;
    const beganMs = isFull ? (run.state.running?.startedMs ?? nowMs) : nowMs;
    const complete = {
      startedMs: beganMs,
      endedMs: clock.time(),
      rows,
      isFull,
      ca: caOf(facts),
      findings,
      hasCompared: ({ requestId, crl }: ReportedFinding) => compared.has(requestId ?? crl ?? ""),
      places: this.#publishers.map(({ number }) => number),
    };
    const taken = await reported.take(complete, signal);
    this.#failure = undefined;
    this.#mayRead = true;
    logLine(log, "the CA's database was compared with the journal", { rows, ...taken });
    if (report.mode === "since" && Date.parse(coveredSince) > Number(lastMs)) {
      logLine(log, "the journal begins after the last comparison", { coveredSince });
    }
    if (isFull) await run.end({ scheduledFullMs: beganMs, isRestored: undefined });
    // What a stopped command has found is out of date.
    else if (run.state.running !== undefined) await run.save({ running: undefined });
    return true;
  }

  /**
   * From when on changes are compared, in ms since 1970; `full` for every row. `hasSpace`: findings that were too many could
   * be reported now, and are found again only among all.
   */
  #beginningOf(
    { scheduledFullMs, isRestored }: RunState,
    lastMs: number | undefined,
    nowMs: number,
    hasSpace: boolean,
  ): number | "full" {
    const { everyMs, fullMs = Number.POSITIVE_INFINITY } = this.#options.schedule;
    if (lastMs === undefined || scheduledFullMs === undefined || isRestored) return "full";
    // The time of the schedule that is closest to it.
    const sinceFullMs = nowMs - scheduledFullMs;
    const dueMs = hasSpace ? Math.min(fullMs, fullForSpaceMs) : fullMs;
    const isDue = sinceFullMs < 0 || sinceFullMs > dueMs - everyMs / 2;
    return isDue ? "full" : lastMs - overlapMs;
  }

  #fail(error: unknown): void {
    const { log } = this.#options;
    this.#failures += 1;
    if (hasCode(error, "CERTWIRE_CA_DATABASE_REFUSED")) this.#refuse(error);
    else this.#failure = failureAfter(this.#failure, error);
    logLine(log, "cannot compare the CA's database with the journal", describeError(error));
  }

  #refuse(error: unknown): void {
    this.#mayRead = false;
    this.#refusal = failureAfter(this.#failure, error);
    this.#failure = this.#refusal;
  }
}

/** The state of runs. `before`: how many findings one over every row has that goes on. Times are in ms since 1970. */
async function openRun(
  path: string,
  { lastMs = 0, nowMs }: { readonly lastMs: number | undefined; readonly nowMs: number },
): Promise<{ run: RunFile; before: number }> {
  const run = await RunFile.open(path);
  const { running } = run.state;
  if (running === undefined) return { run, before: 0 };
  const { startedMs, findings: before } = running;
  if (startedMs > lastMs && startedMs <= nowMs) return { run, before };
  // By a clock that was ahead, of a command from before the last comparison, or the last one itself.
  await run.save({ running: undefined });
  return { run, before: 0 };
}

/** Some of the requests with open findings, by rising number of the comparison others each time. */
function someOf(requests: readonly number[], comparison: number): readonly number[] {
  if (requests.length <= mostAgain) return requests;
  const from = (comparison * mostAgain) % requests.length;
  return [...requests.slice(from), ...requests.slice(0, from)].slice(0, mostAgain);
}

function caOf({ name, certificates }: NativeCaFacts): ReportedFinding["ca"] {
  const newest = certificates.at(-1);
  return { id: (newest && caIdOf(newest)) ?? "unknown", name };
}

function hasCode(error: unknown, code: CertwireError["code"]): boolean {
  return error instanceof CertwireError && error.code === code;
}

function failureAfter(
  before: ReconcileFacts["failure"],
  error: unknown,
): NonNullable<ReconcileFacts["failure"]> {
  const { error: detail } = describeError(error);
  return { sinceMs: before?.sinceMs ?? clock.time(), detail };
}
