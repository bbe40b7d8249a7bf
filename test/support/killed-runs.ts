import assert from "node:assert/strict";
import { range } from "./run-pipeline.ts";
import { sequenceOf } from "./sample-events.ts";

/** An event of `publisher-process.ts` as it arrived. */
export interface MarkedEvent {
  readonly id: string;
  readonly partitionkey: string;
  /** Which run of the publisher sent it, from 0. */
  readonly data: { readonly run: number };
}

/** The end of a run by SIGKILL. */
export interface Kill {
  /** Sequence of the last event before the checkpoint that the kill left; 0 without a checkpoint. */
  readonly checkpoint: number;
  /** Sequence of the last event before the checkpoint whose saving had ended; 0 when none had. */
  readonly saved: number;
}

/**
 * Makes sure of each kill that nothing before its checkpoint was missing, that no saved checkpoint was lost,
 * and that afterwards only those came again that were under way or were acknowledged after the checkpoint.
 * `arrived` holds all runs, also the last one, which ended by itself; `maxInFlightEvents` are the most from
 * the oldest unacknowledged one onward. Returns the sequences that came again, kill by kill.
 */
export function assertRepetitions(
  arrived: readonly MarkedEvent[],
  kills: readonly Kill[],
  maxInFlightEvents: number,
): number[][] {
  const runs = Array.from({ length: kills.length + 1 }, (_, run) =>
    arrived.filter(({ data }) => data.run === run),
  );
  for (const [run, events] of runs.entries()) {
    const repeated = repeatedPlaces(events);
    assert.deepEqual(repeated, [], `run ${run} of ${events.length} sent an event twice by itself`);
  }
  return kills.map(({ checkpoint, saved }, run) => {
    const before = sequencesOf(runs.slice(0, run + 1));
    const after = sequencesOf(runs.slice(run + 1));
    const lost = range(1, checkpoint).filter((n) => !before.has(n));
    assert.deepEqual(lost, [], `kill ${run}: before the checkpoint, but they had not arrived`);
    const again = [...before].filter((n) => after.has(n));
    const end = startOf(before) + maxInFlightEvents;
    const beyond = [...before].filter((n) => n > end);
    assert.deepEqual(beyond, [], `kill ${run}: sent beyond the window`);
    const needless = again.filter((n) => n <= checkpoint || n > end);
    assert.deepEqual(needless, [], `kill ${run}: came again without need`);
    assert.ok(checkpoint >= saved, `kill ${run}: ${checkpoint} is left of ${saved}`);
    return again;
  });
}

/** Each event that arrived more than once, with its places, as text: "17 at 16, 4199". */
function repeatedPlaces(events: readonly MarkedEvent[]): string[] {
  const places = new Map<number, number[]>();
  for (const [place, event] of events.entries()) {
    const sequence = sequenceOf(event);
    places.set(sequence, [...(places.get(sequence) ?? []), place]);
  }
  const repeated = [...places].filter(([, found]) => found.length > 1);
  return repeated.map(([sequence, found]) => `${sequence} at ${found.join(", ")}`);
}

function sequencesOf(runs: readonly (readonly MarkedEvent[])[]): Set<number> {
  return new Set(runs.flat().map(sequenceOf));
}

/** The last sequence before the first one that is missing. */
function startOf(sequences: ReadonlySet<number>): number {
  let last = 0;
  while (sequences.has(last + 1)) last += 1;
  return last;
}
