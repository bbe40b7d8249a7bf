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
import { pause } from "../pipeline/waiting.ts";
import { readFindings } from "../reconcile/findings-file.ts";
import { JournalContents } from "../reconcile/journal-contents.ts";
import { overlapMs, reconcile } from "../reconcile/reconcile.ts";
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
/** How long to wait before files that cannot be read, or a lock that a command holds, are tried again; in ms. */
const againMs = 600_000;
/** Longest wait in one piece, in ms: somebody may set the clock. */
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
  /** When the CA was last asked for that without a comparison, in ms since 1970. */
  #askedMs = Number.NEGATIVE_INFINITY;
  /** When the next comparison begins, in ms since 1970; `undefined` while one runs. */
  #nextMs: number | undefined;
  /** What keeps a comparison from beginning now. */
  #obstacle: ReconcileFacts["failure"];
  /** The earliest time that the clock has shown since the last complete comparison began, in ms since 1970. */
  #earliestMs = clock.time();

  constructor(options: ReconcileTaskOptions) {
    this.#options = options;
  }

  /** What is known of the comparisons now. */
  get facts(): ReconcileFacts {
    const reported = this.#reported;
    const failure = this.#obstacle ?? this.#failure;
    const { last, sinceMs } = reported?.state ?? {};
    const { schedule } = this.#options;
    const begin = last?.startedMs ?? sinceMs;
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
        // One that began by a clock that was ahead is not waited for.
        overdueMs: overdueAfter(schedule, Math.min(begin, this.#earliestMs)),
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
    // The clock was ahead then, and was set right while the service did not run, nobody knows when.
    if ((reported.state.last?.startedMs ?? 0) > clock.time()) await reported.compareAll();
    return reported;
  }

  /** Notices that the clock was set back: what happens then has a date before the last comparison. */
  async #watchClock(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#earliestMs = Math.min(this.#earliestMs, clock.time());
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
        if (hasCode(error, "CERTWIRE_DIRECTORY_IN_USE")) {
          this.#obstacle = undefined;
          if (!isWaiting)
            logLine(log, "the comparison waits for another one", describeError(error));
          isWaiting = true;
        } else {
          this.#obstacle = failureAfter(this.#obstacle, error);
          logLine(log, "cannot compare the CA's database with the journal", describeError(error));
        }
        await pause(againMs, signal);
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
        if (!isComplete) this.#earliestMs = Math.min(this.#earliestMs, earliestMs);
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
    const { schedule, openDatabase, log } = this.#options;
    if (this.#mayRead === true || clock.time() < this.#askedMs + againMs) return;
    this.#askedMs = clock.time();
    const wasRefused = this.#mayRead === false;
    try {
      await openDatabase(schedule, () => undefined).readableFacts(signal);
      this.#mayRead = true;
      if (wasRefused) this.#failure = undefined;
    } catch (error) {
      // What else is wrong may pass before the comparison, which reports it.
      if (!hasCode(error, "CERTWIRE_CA_DATABASE_REFUSED")) return;
      this.#mayRead = false;
      this.#failure = failureAfter(this.#failure, error);
      if (!wasRefused) {
        logLine(log, "cannot compare the CA's database with the journal", describeError(error));
      }
    }
  }

  /** True if all was compared. `earliestMs`: the earliest time that the clock has shown since the last time. */
  async #compare(
    reported: ReportedFindings,
    earliestMs: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { config, schedule, layout, openDatabase, log } = this.#options;
    const paths = layout.reconcile;
    const database = openDatabase(schedule, (error, delayMs) =>
      logLine(log, "the CA's database is busy; it is read again later", {
        delayMs,
        ...describeError(error),
      }),
    );
    const run = await RunFile.open(paths.run);
    const { last } = reported.state;
    const nowMs = clock.time();
    if ((run.state.running?.startedMs ?? 0) > nowMs) await run.save({ running: undefined });
    // A comparison of every row goes on where one that was stopped has begun.
    const firstMs = run.state.running?.startedMs ?? nowMs;
    const lastMs = last && Math.min(last.startedMs, earliestMs);
    const places = this.#publishers.map(({ number }) => number);
    const since = this.#beginningOf(run.state, lastMs, nowMs, reported.hasSpace(places));
    const open = reported.openAbout;
    const compared = new Set<number | string>();
    logLine(log, "comparing the CA's database with the journal", {});
    let ca: ReportedFinding["ca"] | undefined;
    const report = await reconcile(
      {
        database,
        contents: await JournalContents.open(paths),
        journal: config.journal.directory,
        paths,
        run,
        waitsForCa: true,
        identified: ({ name, certificates }) => {
          const newest = certificates.at(-1);
          ca = { id: (newest && caIdOf(newest)) ?? "unknown", name };
        },
        since,
        again: someOf(reported.openRequests, Math.floor(nowMs / schedule.everyMs)),
        againCrls: reported.openCrls,
        compared: (about) => {
          if (open.has(about)) compared.add(about);
        },
      },
      signal,
    );
    if (report.isInterrupted || ca === undefined) return false;
    const beganMs = report.mode === "full" ? firstMs : nowMs;
    const { rows, findingsFile, coveredSince = "" } = report;
    const taken = await reported.take({
      startedMs: beganMs,
      endedMs: clock.time(),
      rows,
      isFull: report.mode === "full",
      ca,
      findings: readFindings(findingsFile),
      hasCompared: ({ requestId, crl }: ReportedFinding) => compared.has(requestId ?? crl ?? ""),
      places: this.#publishers.map(({ number }) => number),
    });
    this.#failure = undefined;
    this.#mayRead = true;
    logLine(log, "the CA's database was compared with the journal", { rows, ...taken });
    if (report.mode === "since" && Date.parse(coveredSince) > Number(lastMs)) {
      logLine(log, "the journal begins after the last comparison", { coveredSince });
    }
    if (report.mode === "full") await run.save({ scheduledFullMs: beganMs, isRestored: undefined });
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
    if (hasCode(error, "CERTWIRE_CA_DATABASE_REFUSED")) this.#mayRead = false;
    this.#failure = failureAfter(this.#failure, error);
    logLine(log, "cannot compare the CA's database with the journal", describeError(error));
  }
}

/** Some of the requests with open findings, by rising number of the comparison others each time. */
function someOf(requests: readonly number[], comparison: number): readonly number[] {
  if (requests.length <= mostAgain) return requests;
  const from = (comparison * mostAgain) % requests.length;
  return [...requests.slice(from), ...requests.slice(0, from)].slice(0, mostAgain);
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
