import type { Logger } from "pino";
import { logLine } from "../log/log-line.ts";
import { pause } from "../pipeline/waiting.ts";
import type { SinkStats } from "./sink-stats.ts";

/** What the progress log reads, where it writes, and how often. */
export interface ProgressOptions {
  /** Counters and state of every sink. */
  readonly stats: () => readonly SinkStats[];
  readonly log: Logger;
  /** How often each sink's counters are logged, in ms. Default 300000. */
  readonly intervalMs?: number;
}

/** A sink that acknowledges nothing and makes no dead letter has a line once in this many intervals: once an hour. */
const idleIntervals = 12;

/**
 * Logs the counters of every sink until the signal is aborted: at a fixed interval while it acknowledges events, makes dead
 * letters or changes its state, else once an hour.
 */
export async function keepProgressLog(
  options: ProgressOptions,
  signal: AbortSignal,
): Promise<void> {
  const intervalMs = options.intervalMs ?? 300_000;
  const idle = new IdleSinks();
  for (;;) {
    await pause(intervalMs, signal);
    if (signal.aborted) return;
    const due = options.stats().filter((each) => idle.isDue(each));
    logProgress({ stats: () => due, log: options.log });
  }
}

/** Knows which sinks have nothing new to say. */
class IdleSinks {
  readonly #last = new Map<string, { readonly news: string; intervals: number }>();

  isDue({ sink, acknowledgedEvents, deadLetters, state }: SinkStats): boolean {
    const letters = Object.values(deadLetters).reduce((sum, count) => sum + count, 0);
    const news = `${acknowledgedEvents} ${letters} ${state}`;
    const last = this.#last.get(sink);
    if (last?.news === news && last.intervals < idleIntervals - 1) {
      last.intervals += 1;
      return false;
    }
    this.#last.set(sink, { news, intervals: 0 });
    return true;
  }
}

/** Logs one line `progress` per sink; its counters count from the start of the service. */
export function logProgress({ stats, log }: Pick<ProgressOptions, "stats" | "log">): void {
  for (const { position: _position, reader, ...counters } of stats()) {
    const { unmarkedFrames = 0, damagedRanges = 0, brokenLinks = 0 } = reader ?? {};
    logLine(log, "progress", { ...counters, unmarkedFrames, damagedRanges, brokenLinks });
  }
}
