import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import type { AppendOutcome, NativeExitSimulator, SimulatedEvent } from "../native/addon.ts";
import { SimulatedCa } from "./simulated-ca.ts";

/** What a simulated CA sends to the exit module's code, and how fast. */
export interface FeedOptions {
  readonly ca: SimulatedCa;
  readonly simulator: Pick<NativeExitSimulator, "notify" | "shutdown">;
  /** Events per second; 0 means as fast as possible. */
  readonly rate: number;
  /** Number of events, not counting start and stop. Default: until the signal is aborted. */
  readonly count?: number | undefined;
}

/** Counts of the events so far, including start and stop. */
export interface FeedCounts {
  events: number;
  /** Events by the outcome of their append. */
  readonly outcomes: Record<"committed" | "pending" | "dropped", number>;
}

const outcomeNames = ["committed", "pending", "dropped"] as const;
/** Events between two turns of the event loop, so that a service in the same process can work too. */
const burst = 20;

/** Starts the CA, lets it work at its rate, and stops it; updates `counts` after each event. */
export async function feed(
  options: FeedOptions,
  counts: FeedCounts,
  signal: AbortSignal,
): Promise<void> {
  const { ca, simulator, rate, count = Number.POSITIVE_INFINITY } = options;
  const notify = (event: SimulatedEvent): void => {
    record(counts, simulator.notify(event));
  };
  notify(ca.started());
  const startedAt = performance.now();
  for (let made = 0; made < count && !signal.aborted; ) {
    const due = rate === 0 ? count : Math.ceil(((performance.now() - startedAt) / 1000) * rate);
    const end = Math.min(due, made + burst, count);
    for (; made < end; made += 1) notify(ca.next());
    if (made < due) await nextTurn();
    else await delay(10, undefined, { signal }).catch(() => undefined);
  }
  notify(ca.stopped());
  simulator.shutdown();
}

/** Counts before the first event. */
export function newFeedCounts(): FeedCounts {
  return { events: 0, outcomes: { committed: 0, pending: 0, dropped: 0 } };
}

function record(counts: FeedCounts, outcome: AppendOutcome): void {
  counts.events += 1;
  counts.outcomes[outcomeNames[outcome]] += 1;
}

/** A CA with the given seed and a stepped clock; without a seed, a random one and the machine's clock. */
export function createCa(seed: string | undefined, rate: number): SimulatedCa {
  if (seed === undefined) return new SimulatedCa({ seed: Math.random() });
  return new SimulatedCa({ seed, now: steppedClock(rate) });
}

/** A clock for reproducible events: each call is 1/`rate` s later (rate 0: 0.1 s), from 2026-01-05 08:00 UTC. */
export function steppedClock(rate: number): () => Date {
  const step = 1000 / (rate === 0 ? 10 : rate);
  let ticks = 0;
  return () => {
    ticks += 1;
    return new Date(Date.UTC(2026, 0, 5, 8) + ticks * step);
  };
}
