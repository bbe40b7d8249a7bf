import type { HistogramCounts } from "../pipeline/tally.ts";
import type { Observation, SinkView } from "../service/live-status.ts";

/** Values of labels by their names. */
export type Labels = Readonly<Record<string, string>>;

/** One value of a metric. */
export interface Sample {
  readonly labels: Labels;
  /** A number, or for a histogram its counts. */
  readonly value: number | HistogramCounts;
}

/** One row of the table of metrics: what is served, and what is documented. */
export interface Metric {
  /** With its unit, and `_total` for a counter. */
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly labels: readonly string[];
  /** What it means, in one sentence. */
  readonly help: string;
  /** Its samples; none if nothing is known. */
  readonly read: (observation: Observation) => Sample[];
}

/** A sample of each sink with one value; `undefined` gives none. */
export function eachSink(
  value: (view: SinkView, observation: Observation) => number | HistogramCounts | undefined,
): Metric["read"] {
  return (observation) =>
    observation.views.flatMap((view) => {
      const found = value(view, observation);
      return found === undefined ? [] : [{ labels: { sink: view.stats.sink }, value: found }];
    });
}

/** Samples of each sink, one for each key of a map or record; the key is the value of a label. */
export function eachKey(
  label: string,
  counts: (view: SinkView) => ReadonlyMap<string, number> | Readonly<Record<string, number>>,
): Metric["read"] {
  return ({ views }) =>
    views.flatMap((view) => {
      const found = counts(view);
      const entries = found instanceof Map ? [...found] : Object.entries(found);
      return entries.map(([key, value]) => ({
        labels: { sink: view.stats.sink, [label]: key },
        value: Number(value),
      }));
    });
}

/** Time from a time of the status to the status itself, in s; `undefined` for one that is not known. */
export function ageOf(time: string | undefined, { status }: Observation): number | undefined {
  if (time === undefined) return undefined;
  return Math.max(0, (Date.parse(status.time) - Date.parse(time)) / 1000);
}

/** One sample without a label; `undefined` gives none. */
export function single(value: (observation: Observation) => number | undefined): Metric["read"] {
  return (observation) => {
    const found = value(observation);
    return found === undefined ? [] : [{ labels: {}, value: found }];
  };
}
