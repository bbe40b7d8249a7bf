import { clock } from "../clock.ts";
import type { HistogramCounts } from "../pipeline/tally.ts";
import { pause } from "../pipeline/waiting.ts";
import type { SinkView } from "./live-status.ts";

/** What one sink did in an interval. */
export interface SinkSample {
  /** Events that the sink acknowledged, per second. */
  readonly eventsPerSecond: number;
  /**
   * Quantiles of the time from the record of an event to its acknowledgement, in s, interpolated in the buckets of the
   * histogram; absent if no event was acknowledged.
   */
  readonly p50Seconds?: number;
  readonly p99Seconds?: number;
}

/** What the sinks did in the interval that ended at a time. */
export interface HistoryPoint {
  /** In ms since 1970. */
  readonly timeMs: number;
  /** By the names of the sinks. */
  readonly sinks: Readonly<Record<string, SinkSample>>;
}

/** What is sampled of a sink. */
type Sampled = Pick<SinkView, "stats" | "tally">;

interface Before {
  readonly atMs: number;
  readonly events: number;
  readonly latency: HistogramCounts;
}

const intervalMs = 10_000;
const hourMs = 3_600_000;
const maxPoints = hourMs / intervalMs;

/** Rates and latencies of the last hour, one point for every 10 s: 360 at most. */
export class History {
  readonly #views: () => readonly Sampled[];
  readonly #points: HistoryPoint[] = [];
  readonly #before = new Map<string, Before>();

  constructor(views: () => readonly Sampled[]) {
    this.#views = views;
  }

  /** The points after a time, in ms since 1970, the oldest first. Default all. */
  since(timeMs = Number.NEGATIVE_INFINITY): readonly HistoryPoint[] {
    return this.#points.filter((point) => point.timeMs > timeMs);
  }

  /** Adds a point every 10 s until the signal is aborted. */
  async keep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.sample(clock.time(), clock.now());
      await pause(intervalMs, signal);
    }
  }

  /** Adds a point, except the first time. `atMs`: a clock that never jumps, in ms. */
  sample(timeMs: number, atMs: number): void {
    const sinks: [string, SinkSample][] = [];
    for (const { stats, tally } of this.#views()) {
      const now = { atMs, events: stats.acknowledgedEvents, latency: tally.latency };
      const before = this.#before.get(stats.sink);
      this.#before.set(stats.sink, now);
      if (before !== undefined) sinks.push([stats.sink, difference(before, now)]);
    }
    if (sinks.length === 0) return;
    this.#points.push({ timeMs, sinks: Object.fromEntries(sinks) });
    if (this.#points.length > maxPoints) this.#points.shift();
  }
}

function difference(before: Before, now: Before): SinkSample {
  const seconds = Math.max(now.atMs - before.atMs, 1) / 1000;
  const { limits, counts } = now.latency;
  const added = counts.map((count, at) => count - (before.latency.counts[at] ?? 0));
  const [p50Seconds, p99Seconds] = [quantile(limits, added, 0.5), quantile(limits, added, 0.99)];
  return {
    eventsPerSecond: rounded((now.events - before.events) / seconds),
    ...(p50Seconds !== undefined && { p50Seconds }),
    ...(p99Seconds !== undefined && { p99Seconds }),
  };
}

/**
 * A quantile of what is counted in buckets, as if the values of a bucket were spread evenly over it; what is above the
 * last limit counts as that limit. `undefined` if nothing is counted.
 */
export function quantile(
  limits: readonly number[],
  counts: readonly number[],
  share: number,
): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  const rank = share * total;
  let below = 0;
  for (const [at, limit] of limits.entries()) {
    const count = counts[at] ?? 0;
    if (count > 0 && below + count >= rank) {
      const from = limits[at - 1] ?? 0;
      return rounded(from + ((limit - from) * (rank - below)) / count);
    }
    below += count;
  }
  return limits.at(-1);
}

/** To four digits: a browser gets hundreds of these. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
