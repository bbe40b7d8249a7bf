import type { EventKind } from "../events/event.ts";
import type { SinkFailureKind } from "../sinks/sink.ts";
import type { DeadLetterReason } from "../state/dead-letter.ts";
import type { DeadKind } from "./trouble.ts";

/** A histogram with fixed buckets, as a snapshot. */
export interface HistogramCounts {
  /** Upper limits of the buckets, ascending; a last bucket has no end. */
  readonly limits: readonly number[];
  /** Observations of each bucket alone, one more than `limits`. */
  readonly counts: readonly number[];
  readonly sum: number;
}

/** Counts observations in buckets. */
class Histogram {
  readonly #limits: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  constructor(limits: readonly number[]) {
    this.#limits = limits;
    this.#counts = Array<number>(limits.length + 1).fill(0);
  }

  /** `times`: how often the value was observed. */
  observe(value: number, times = 1): void {
    let at = 0;
    while (at < this.#limits.length && value > (this.#limits[at] ?? 0)) at += 1;
    this.#counts[at] = (this.#counts[at] ?? 0) + times;
    this.#sum += value * times;
  }

  get snapshot(): HistogramCounts {
    return { limits: this.#limits, counts: [...this.#counts], sum: this.#sum };
  }
}

/** The buckets of durations, in s: up to an hour, which an outage takes. */
const secondLimits = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600,
];
const batchLimits = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

/** What is counted of the events of one pipeline beside its counters; only grows. */
export interface EventTallyCounts {
  readonly acknowledged: ReadonlyMap<EventKind, number>;
  readonly skipped: ReadonlyMap<EventKind, number>;
  /** Events sent again, by kind of failure. */
  readonly retried: ReadonlyMap<SinkFailureKind, number>;
  readonly deadLetters: readonly DeadLetterCount[];
  /** Gap records read, by reason. */
  readonly gaps: ReadonlyMap<string, number>;
  /** From the record of an event to its acknowledgement, in s. */
  readonly latency: HistogramCounts;
  /** Of single publishes, failed ones too, in s. */
  readonly publishDuration: HistogramCounts;
  /** Events of single publishes, failed ones too. */
  readonly batchEvents: HistogramCounts;
}

/** What is counted of an event, as a lane has it. */
export interface TalliedEvent {
  readonly event: {
    readonly kind: EventKind;
    readonly attributes: { readonly recordedtime: string };
  };
}

/** Reasons of gaps that the format knows; others are counted together. */
const gapReasons: ReadonlySet<string> = new Set([
  "unclean-stop",
  "corrupt",
  "retention",
  "missing-segment",
  "rollback",
  "disk-full",
  "write-error",
  "flush-error",
  "memory",
]);

/** The reason under which a gap is counted. */
export function gapReason(reason: unknown): string {
  return typeof reason === "string" && gapReasons.has(reason) ? reason : "other";
}

/** Dead letters of one kind of event and one reason. */
export interface DeadLetterCount {
  readonly kind: DeadKind["kind"];
  readonly reason: DeadLetterReason;
  readonly count: number;
}

/** Counts the events of one pipeline. */
export class EventTally {
  readonly #acknowledged = new Map<EventKind, number>();
  readonly #skipped = new Map<EventKind, number>();
  readonly #retried = new Map<SinkFailureKind, number>();
  readonly #deadLetters = new Map<string, DeadLetterCount>();
  readonly #gaps = new Map<string, number>();
  readonly #latency = new Histogram(secondLimits);
  readonly #publishDuration = new Histogram(secondLimits);
  readonly #batchEvents = new Histogram(batchLimits);

  /** `nowMs`: since 1970. Neighbours of one kind and one millisecond are counted together: most are, under load. */
  acknowledged(events: Iterable<TalliedEvent>, nowMs: number): void {
    let run: { kind: EventKind; text: string; count: number } | undefined;
    for (const { event } of events) {
      const { kind, attributes } = event;
      const { recordedtime: text } = attributes;
      if (run?.kind === kind && run.text === text) {
        run.count += 1;
        continue;
      }
      if (run !== undefined) this.#countRun(run, nowMs);
      run = { kind, text, count: 1 };
    }
    if (run !== undefined) this.#countRun(run, nowMs);
  }

  skipped(kind: EventKind): void {
    add(this.#skipped, kind);
  }

  retried(kind: SinkFailureKind, events: number): void {
    add(this.#retried, kind, events);
  }

  deadLettered(kind: DeadKind["kind"], reason: DeadLetterReason): void {
    const key = `${kind} ${reason}`;
    const count = (this.#deadLetters.get(key)?.count ?? 0) + 1;
    this.#deadLetters.set(key, { kind, reason, count });
  }

  gap(reason: unknown): void {
    add(this.#gaps, gapReason(reason));
  }

  published(events: number, ms: number): void {
    this.#publishDuration.observe(ms / 1000);
    this.#batchEvents.observe(events);
  }

  get counts(): EventTallyCounts {
    return {
      acknowledged: new Map(this.#acknowledged),
      skipped: new Map(this.#skipped),
      retried: new Map(this.#retried),
      deadLetters: [...this.#deadLetters.values()],
      gaps: new Map(this.#gaps),
      latency: this.#latency.snapshot,
      publishDuration: this.#publishDuration.snapshot,
      batchEvents: this.#batchEvents.snapshot,
    };
  }

  #countRun(
    { kind, text, count }: { kind: EventKind; text: string; count: number },
    nowMs: number,
  ) {
    add(this.#acknowledged, kind, count);
    this.#latency.observe(Math.max(0, nowMs - Date.parse(text)) / 1000, count);
  }
}

function add<Key>(counts: Map<Key, number>, key: Key, count = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}
