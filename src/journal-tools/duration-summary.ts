import type { DurationHistogram } from "../native/addon.ts";

/** Durations in microseconds, each the lower end of a bucket that is at most 25 % wide. */
export interface DurationSummary {
  readonly count: number;
  readonly p50Us?: number;
  readonly p99Us?: number;
  readonly p999Us?: number;
  readonly maxUs?: number;
}

/** Summarizes a histogram; of an empty one there is only the count, 0. */
export function summarize(histogram: DurationHistogram = []): DurationSummary {
  const count = histogram.reduce((sum, [, each]) => sum + each, 0);
  if (count === 0) return { count };
  const at = (share: number): number => microseconds(histogram, count * share);
  return { count, p50Us: at(0.5), p99Us: at(0.99), p999Us: at(0.999), maxUs: at(1) };
}

function microseconds(histogram: DurationHistogram, rank: number): number {
  let seen = 0;
  for (const [fromNs, count] of histogram) {
    seen += count;
    if (seen >= rank) return Math.round(fromNs / 10) / 100;
  }
  return 0;
}
