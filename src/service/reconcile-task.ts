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
import { pause } from "../pipeline/waiting.ts";
import { readFindings } from "../reconcile/findings-file.ts";
import { JournalContents } from "../reconcile/journal-contents.ts";
import { overlapMs, reconcile } from "../reconcile/reconcile.ts";
import { ReportedFindings } from "../reconcile/reported-findings.ts";
import { RunFile } from "../reconcile/run-file.ts";
import { nextTime } from "../reconcile/schedule.ts";
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
  /** How many of the open requests were compared again since each of them was. */
  #again = 0;

  constructor(options: ReconcileTaskOptions) {
    this.#options = options;
  }

  /** What is known of the comparisons now. */
  get facts(): ReconcileFacts {
    const reported = this.#reported;
    const failure = this.#obstacle ?? this.#failure;
    const { last, sinceMs } = reported?.state ?? {};
    const { everyMs } = this.#options.schedule;
    const begin = last?.startedMs ?? sinceMs;
    const lastingMs = reported?.newestLastingMs;
    return {
      isRunning: this.#isRunning,
      ...(this.#mayRead !== undefined && { mayRead: this.#mayRead }),
      failures: this.#failures,
      ...(failure && { failure }),
      ...(last && { lastMs: last.startedMs, rows: last.rows, unlisted: last.unlisted }),
      ...(reported && { open: reported.openOfClass }),
      ...(lastingMs !== undefined && { lastingMs }),
      unpublished: this.#publishers.map(({ facts }) => facts),
      // One that was left out has its time once more.
      ...(this.#nextMs !== undefined && { nextMs: this.#nextMs }),
      ...(begin !== undefined && { overdueMs: begin + 2 * everyMs }),
    };
  }

  /** Compares and publishes until the signal is aborted. Never rejects: what fails is logged and tried again. */
  async keep(signal: AbortSignal): Promise<void> {
    const { config, layout } = this.#options;
    const { reported: path } = layout.reconcile;
    const reported = await this.#untilDone(() => ReportedFindings.open(path), signal);
    if (reported === undefined) return;
    this.#reported = reported;
    this.#publishers = config.sinks
      .filter(({ options }) => options.enabled)
      .map((sink) => new FindingsPublisher({ ...this.#options, sink, reported }));
    await Promise.all([
      this.#compareOnTime(reported, signal),
      ...this.#publishers.map((publisher) => publisher.keep(signal)),
    ]);
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
    const { schedule, layout } = this.#options;
    const { directory, lockName } = layout.reconcile;
    while (!signal.aborted) {
      const due = nextTime(schedule, clock.time(), reported.state.last?.startedMs);
      this.#nextMs = due;
      while (clock.time() < due && !signal.aborted) {
        await this.#askRight(signal);
        await pause(Math.min(due - clock.time(), longestWaitMs), signal);
      }
      const locking = () => lockDirectory(directory, lockName, "private");
      const lock = await this.#untilDone(locking, signal);
      if (lock === undefined) return;
      this.#isRunning = true;
      this.#nextMs = undefined;
      try {
        await this.#compare(reported, signal);
      } catch (error) {
        if (!signal.aborted) await this.#fail(error, reported);
      } finally {
        this.#isRunning = false;
        lock.release();
      }
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

  async #compare(reported: ReportedFindings, signal: AbortSignal): Promise<void> {
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
    // A comparison of every row goes on where one that was stopped has begun.
    const firstMs = Math.min(nowMs, run.state.running?.startedMs ?? nowMs);
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
        // Findings that were too many are found again only among all.
        since: last === undefined || last.unlisted > 0 ? "full" : last.startedMs - overlapMs,
        again: this.#nextAgain(reported.openRequests),
        againCrls: reported.openCrls,
        compared: (about) => {
          if (open.has(about)) compared.add(about);
        },
      },
      signal,
    );
    if (report.isInterrupted || ca === undefined) return;
    const { rows, findingsFile } = report;
    const taken = await reported.take({
      startedMs: report.mode === "full" ? firstMs : nowMs,
      endedMs: clock.time(),
      rows,
      ca,
      findings: readFindings(findingsFile),
      hasCompared: ({ requestId, crl }: ReportedFinding) => compared.has(requestId ?? crl ?? ""),
      places: this.#publishers.map(({ number }) => number),
    });
    this.#failure = undefined;
    this.#mayRead = true;
    logLine(log, "the CA's database was compared with the journal", { rows, ...taken });
  }

  /** Some of the requests with open findings, others each time. */
  #nextAgain(requests: readonly number[]): readonly number[] {
    if (requests.length <= mostAgain) return requests;
    const from = this.#again % requests.length;
    this.#again = from + mostAgain;
    return [...requests.slice(from), ...requests.slice(0, from)].slice(0, mostAgain);
  }

  async #fail(error: unknown, reported: ReportedFindings): Promise<void> {
    const { log } = this.#options;
    this.#failures += 1;
    if (hasCode(error, "CERTWIRE_CA_DATABASE_REFUSED")) this.#mayRead = false;
    this.#failure = failureAfter(this.#failure, error);
    logLine(log, "cannot compare the CA's database with the journal", describeError(error));
    if (!hasCode(error, "CERTWIRE_CA_DATABASE_RESTORED")) return;
    try {
      // What a restore has taken back is older than the last comparison.
      await reported.compareAll();
    } catch (cause) {
      logLine(log, "cannot compare the CA's database with the journal", describeError(cause));
    }
  }
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
