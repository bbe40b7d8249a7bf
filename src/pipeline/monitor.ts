import type { Logger } from "pino";
import { clock } from "../clock.ts";
import { CertwireError } from "../errors/certwire-error.ts";
import { describeError } from "../errors/describe-error.ts";
import type { EventKind } from "../events/event.ts";
import type { JournalPosition } from "../journal/position.ts";
import { type FieldsOf, logLine } from "../log/log-line.ts";
import { RepeatedLines } from "../log/repeated-lines.ts";
import type { SinkFailure, SinkFailureKind } from "../sinks/sink.ts";
import type { DeadLetterReason } from "../state/dead-letter.ts";
import { EventTally, type EventTallyCounts, type TalliedEvent } from "./tally.ts";
import { type DeadKind, DeadKinds, type FailingPart, type PipelineTrouble } from "./trouble.ts";

/** Consecutive failures after which a retry is an alarm, logged as an error instead of a warning. */
const alarmAfterFailures = 10;
/** Failures that do not end by themselves. */
const needsOperator: ReadonlySet<SinkFailureKind> = new Set(["config", "auth", "unroutable"]);

/** Counters of one pipeline since its start; they only grow. */
export interface PipelineCounters {
  /** Events handed to the sink; a retry counts again. */
  readonly publishedEvents: number;
  /** Events that the sink acknowledged. */
  readonly acknowledgedEvents: number;
  /** JSON bytes of the acknowledged events. */
  readonly acknowledgedBytes: number;
  /** Events that the sink does not want; after a restart some may count again. */
  readonly skippedEvents: number;
  /** Batches handed to the sink; a retry counts again. */
  readonly batches: number;
  /** Failed publishes by kind of failure. */
  readonly failures: Readonly<Record<SinkFailure["kind"], number>>;
  /** Dead letters on disk by reason. */
  readonly deadLetters: Readonly<Record<DeadLetterReason, number>>;
  /** Failed attempts to open the sink. */
  readonly openFailures: number;
  /** Failed attempts to read the source. */
  readonly sourceFailures: number;
  /** Gap records read from the journal. */
  readonly gaps: number;
  /** Checkpoints on disk. */
  readonly checkpoints: number;
  /** Failed attempts to write a checkpoint. */
  readonly checkpointFailures: number;
  /** How often the sink's lanes changed. */
  readonly relayouts: number;
}

/** How long a dead letter keeps the alarm up, in ms: two lines of the progress log at least show it. */
const deadLetterAlarmMs = 600_000;

/** Share of the dead letters' limit at which an error is logged. */
const fillMark = 0.8;

/**
 * How a running pipeline is doing. `publishing`: everything that was read goes to the sink. `retrying`: some
 * step failed and is repeated. `alarm`: it failed ten times in a row, or needs an operator: a failure of the
 * kinds `config`, `auth` and `unroutable`, a record that cannot be decoded, a checkpoint or routed kinds that cannot be
 * written, or a dead letter within the last ten minutes.
 */
export type PipelineHealth = "publishing" | "retrying" | "alarm";

type ErrorFields = ReturnType<typeof describeError>;

/** What fails, since when by the monitor's clock. */
interface Failing extends Omit<PipelineTrouble, "part" | "forMs"> {
  readonly sinceMs: number;
}

/** What fails in a pipeline now, and what became of its last events. */
export interface PipelineTroubles {
  readonly troubles: readonly PipelineTrouble[];
  readonly deadKinds: readonly DeadKind[];
  /** How long ago a gap was read that is more than an unclean stop, in ms. */
  readonly gapAgeMs?: number;
}

type DeadLetterLine = "dead letter written" | "the letter was refused again";

/** Messages about a step that is tried again. */
type RetriedStep =
  | "cannot open the sink"
  | "the sink has no connection"
  | "publishing failed"
  | "cannot write a dead letter"
  | "cannot read events";

/** Options of a monitor. */
export interface PipelineMonitorOptions {
  /** A clock in ms. Default `Clock.now`. */
  readonly now?: () => number;
  /** What is logged of an event that the sink refused. Default that its dead letter was written. */
  readonly deadLetterLine?: DeadLetterLine;
}

/** Logs and counts what happens in one pipeline. Every method is called right after what its name says. */
export class PipelineMonitor {
  readonly #log: Logger;
  readonly #lines: RepeatedLines;
  readonly #failing = new Map<number | FailingPart, Failing>();
  readonly #deadKinds = new DeadKinds();
  readonly #tally = new EventTally();
  readonly #now: () => number;
  readonly #deadLetterLine: DeadLetterLine;
  #lastDeadLetter = Number.NEGATIVE_INFINITY;
  #lastGap: number | undefined;
  #fill = 0;
  /** How often the lanes changed since the last acknowledgement. */
  #changes = 0;
  readonly #failures = {
    "retry-identical": 0,
    reset: 0,
    config: 0,
    auth: 0,
    unroutable: 0,
    poison: 0,
  };
  readonly #deadLetters = { undecodable: 0, unencodable: 0, rejected: 0, unroutable: 0 };
  readonly #counts = {
    publishedEvents: 0,
    acknowledgedEvents: 0,
    acknowledgedBytes: 0,
    skippedEvents: 0,
    batches: 0,
    openFailures: 0,
    sourceFailures: 0,
    gaps: 0,
    checkpoints: 0,
    checkpointFailures: 0,
    relayouts: 0,
  };

  constructor(log: Logger, { now, deadLetterLine }: PipelineMonitorOptions = {}) {
    this.#log = log;
    this.#lines = new RepeatedLines(log);
    this.#now = now ?? (() => clock.now());
    this.#deadLetterLine = deadLetterLine ?? "dead letter written";
  }

  started(from: JournalPosition | null, checkpoint: string): void {
    const position = from === null ? "oldest" : describePosition(from);
    logLine(this.#log, "pipeline started", { position, checkpoint });
    if (checkpoint === "damaged") {
      const message = "the checkpoint is damaged: publishing restarts from the oldest record";
      logLine(this.#log, message, {});
    }
  }

  sinkOpened(lanes: number): void {
    for (const part of ["open", "connection"] as const) this.#failing.delete(part);
    // A lane may have failed once more after the lanes began to change, and there may be none of its number now.
    this.#forgetLanes();
    this.#lines.write("sink opened", { lanes });
  }

  openFailed(error: unknown, failures: number, delayMs: number): void {
    this.#counts.openFailures += 1;
    const described = this.#failed("open", failures, error);
    const details = { failures, delayMs, ...described };
    this.#retrying(failures, "cannot open the sink", details);
  }

  /** The open sink has no connection, and connects again after the delay. */
  connectionFailed({ kind, cause }: SinkFailure, failures: number, delayMs: number): void {
    const isAlarm = needsOperator.has(kind) || failures >= alarmAfterFailures;
    const described = this.#fails("connection", isAlarm, cause, kind);
    const details = { kind, failures, delayMs, ...described };
    this.#retrying(isAlarm ? alarmAfterFailures : failures, "the sink has no connection", details);
  }

  /** The open sink has a connection; it may have had one all the time. */
  connectionWorks(): void {
    if (this.#failing.delete("connection")) this.#lines.write("the sink is connected again", {});
  }

  /** Called right before a batch goes to the sink. */
  publishing(events: number): void {
    this.#counts.publishedEvents += events;
    this.#counts.batches += 1;
  }

  /** `tallied`: these events. */
  acknowledged(events: number, bytes: number, tallied: Iterable<TalliedEvent> = []): void {
    this.#lanesWork();
    this.#tally.acknowledged(tallied, clock.time());
    if (!this.#deadKinds.isEmpty) {
      this.#deadKinds.lived("record");
      for (const { event } of tallied) this.#deadKinds.lived(event.kind);
    }
    this.#counts.acknowledgedEvents += events;
    this.#counts.acknowledgedBytes += bytes;
  }

  /** Events were read that the sink does not want. */
  skipped(kinds: readonly EventKind[]): void {
    this.#counts.skippedEvents += kinds.length;
    for (const kind of kinds) this.#tally.skipped(kind);
  }

  /** Called after each publish, of which some events or all may have failed. */
  published(events: number, ms: number): void {
    this.#tally.published(events, ms);
  }

  /** Returns true if this is an alarm: someone must act, or the tenth try in a row has failed. */
  publishFailed(lane: number, failure: SinkFailure, failures: number, delayMs: number): boolean {
    const { kind } = failure;
    this.#failures[kind] += 1;
    const alarm = needsOperator.has(kind) || failures >= alarmAfterFailures;
    const described = this.#fails(lane, alarm, failure.cause, kind);
    const details = { lane, kind, failures, delayMs, ...described };
    this.#retrying(alarm ? alarmAfterFailures : failures, "publishing failed", details);
    return alarm;
  }

  /** Events of a failed publish are sent again. */
  retried(kind: SinkFailureKind, events: number): void {
    if (events > 0) this.#tally.retried(kind, events);
  }

  recovered(lane: number, failures: number): void {
    this.#failing.delete(lane);
    this.#lines.write("publishing resumed", { lane, failures });
  }

  lanesChanging(cause: Error): void {
    this.#counts.relayouts += 1;
    this.#forgetLanes();
    this.#changes += 1;
    const described = this.#failed("lanes", this.#changes, cause);
    this.#lines.write("the sink's lanes are changing", described);
  }

  #forgetLanes(): void {
    for (const part of this.#failing.keys()) {
      if (typeof part === "number") this.#failing.delete(part);
    }
  }

  /**
   * `fill`: how full the dead letters of the sink are, as a share of their limit. `kind`: of the event, or `record` for
   * one that could not be decoded.
   */
  deadLettered(
    reason: DeadLetterReason,
    id: string,
    cause: Error,
    fill: number,
    kind: DeadKind["kind"] = "record",
  ): void {
    this.#deadLetters[reason] += 1;
    this.#tally.deadLettered(kind, reason);
    this.#lastDeadLetter = this.#now();
    this.#deadKinds.died(kind, this.#lastDeadLetter);
    this.#failing.delete("dead letter");
    if (reason === "rejected" || reason === "unroutable") this.#lanesWork();
    const details = { reason, id, ...describeError(cause) };
    this.#lines.write(this.#deadLetterLine, details);
    if (fill >= fillMark && this.#fill < fillMark) {
      const percent = Math.floor(fill * 100);
      const message = "the dead letters are near their limit: redrive and delete them";
      logLine(this.#log, message, { percent });
    }
    this.#fill = fill;
  }

  deadLetterFailed(error: unknown, failures: number, delayMs: number): void {
    const isFull = error instanceof CertwireError && error.code === "CERTWIRE_DEAD_LETTERS_FULL";
    const described = this.#failed("dead letter", isFull ? alarmAfterFailures : failures, error);
    this.#retrying(failures, "cannot write a dead letter", { delayMs, ...described });
  }

  sourceFailed(error: unknown, failures: number, delayMs: number): void {
    this.#counts.sourceFailures += 1;
    const described = this.#failed("source", failures, error);
    this.#retrying(failures, "cannot read events", { delayMs, ...described });
  }

  sourceRead(): void {
    this.#failing.delete("source");
  }

  /** A record or event waits for a reason that is not in it; the events after it wait too. */
  recordBlocked(error: unknown, failures: number, delayMs: number): void {
    const described = this.#failed("record", alarmAfterFailures, error);
    const details = { failures, delayMs, ...described };
    this.#lines.write("a record cannot be decoded now; it waits", details);
  }

  recordUnblocked(): void {
    this.#failing.delete("record");
  }

  /** Reports a loss that the journal records; its event goes to the sink like any other. */
  gapRead(id: string, data: Readonly<Record<string, unknown>>): void {
    const { reason, count, firstSequence, lastSequence } = data;
    this.#counts.gaps += 1;
    this.#tally.gap(reason);
    const mayBeLoss = reason !== "unclean-stop";
    if (mayBeLoss) this.#lastGap = this.#now();
    const details = { id, reason, count, firstSequence, lastSequence };
    logLine(this.#log, "gap in the journal", details, mayBeLoss ? "error" : "warn");
  }

  checkpointed(): void {
    this.#counts.checkpoints += 1;
    this.checkpointKept();
  }

  checkpointKept(): void {
    this.#failing.delete("checkpoint");
  }

  checkpointFailed(error: unknown): void {
    this.#counts.checkpointFailures += 1;
    const described = this.#failed("checkpoint", alarmAfterFailures, error);
    this.#lines.write("cannot write the checkpoint", described);
  }

  routedKindsSaved(): void {
    this.#failing.delete("routed kinds");
  }

  routedKindsFailed(error: unknown, failures: number, delayMs: number): void {
    const described = this.#failed("routed kinds", alarmAfterFailures, error);
    const details = { failures, delayMs, ...described };
    this.#lines.write("cannot write which kinds of events were routed", details);
  }

  drainTimedOut(events: number): void {
    const message =
      "stopped before every event was acknowledged; the rest is published again at the next start";
    logLine(this.#log, message, { events });
  }

  closeFailed(error: unknown): void {
    logLine(this.#log, "the sink did not close cleanly", describeError(error));
  }

  stopped(): void {
    this.#lines.close();
    const { acknowledgedEvents } = this.#counts;
    logLine(this.#log, "pipeline stopped", { acknowledgedEvents });
  }

  /** The worst state of any part. */
  get health(): PipelineHealth {
    const failing = [...this.#failing.values()];
    const hasDeadLetters = this.#now() - this.#lastDeadLetter < deadLetterAlarmMs;
    if (hasDeadLetters || failing.some(({ isAlarm }) => isAlarm)) return "alarm";
    return failing.length > 0 ? "retrying" : "publishing";
  }

  /** False while the sink cannot be opened, has lost its connection, or a publish failed for want of one. */
  get isConnected(): boolean {
    if (this.#failing.has("open") || this.#failing.has("connection")) return false;
    return ![...this.#failing].some(
      ([part, { kind }]) => typeof part === "number" && kind === "reset",
    );
  }

  /** What fails now, and what became of the last events. */
  troubles(): PipelineTroubles {
    const now = this.#now();
    const lastGap = this.#lastGap;
    return {
      troubles: [...this.#failing].map(([part, { sinceMs, ...failing }]) => ({
        part,
        ...failing,
        forMs: now - sinceMs,
      })),
      deadKinds: this.#deadKinds.at(now),
      ...(lastGap !== undefined && { gapAgeMs: now - lastGap }),
    };
  }

  counters(): PipelineCounters {
    return {
      ...this.#counts,
      failures: { ...this.#failures },
      deadLetters: { ...this.#deadLetters },
    };
  }

  /** Counts by kind of event, and histograms. */
  tally(): EventTallyCounts {
    return this.#tally.counts;
  }

  /** An event got its final answer, so the lanes are no longer changing. */
  #lanesWork(): void {
    this.#changes = 0;
    this.#failing.delete("lanes");
  }

  /** Remembers that a part fails; the fields of a log line about it. */
  #failed(part: FailingPart, failures: number, error: unknown): ErrorFields {
    return this.#fails(part, failures >= alarmAfterFailures, error);
  }

  #fails(
    part: number | FailingPart,
    isAlarm: boolean,
    cause: unknown,
    kind?: SinkFailureKind,
  ): ErrorFields {
    const sinceMs = this.#failing.get(part)?.sinceMs ?? this.#now();
    const described = describeError(cause);
    const { code, error } = described;
    this.#failing.set(part, {
      isAlarm,
      sinceMs,
      error,
      ...(kind !== undefined && { kind }),
      ...(code !== undefined && { code }),
    });
    return described;
  }

  #retrying<M extends RetriedStep>(failures: number, message: M, details: FieldsOf<M>): void {
    this.#lines.write(message, details, failures >= alarmAfterFailures ? "error" : "warn");
  }
}

function describePosition({ epochNumber, segment, offset, sequence }: JournalPosition): string {
  return `epoch ${epochNumber}, segment ${segment}, offset ${offset}, sequence ${sequence}`;
}
