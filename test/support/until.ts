import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { inspect } from "node:util";
import { sizeFromEnvironment } from "./scale.ts";

/**
 * Longest wait for anything, in ms: far above what it takes on the slowest machine. CERTWIRE_TEST_PATIENCE sets it,
 * in s, for tests that are meant to fail.
 */
export const patienceMs = sizeFromEnvironment("CERTWIRE_TEST_PATIENCE", 180) * 1000;

// Kept, since a test may replace the clock that the code under test reads.
const now = performance.now.bind(performance);

/** How `until` waits. */
export interface Waiting {
  /** Longest wait, in ms. Default `patienceMs`. */
  readonly withinMs?: number;
  /** Pause between two attempts, in ms. Default 5. */
  readonly everyMs?: number;
  /** An attempt that throws counts as "not yet"; its error is the cause of the one at the time limit. */
  readonly mayThrow?: boolean;
  /** Ends the wait by throwing when an attempt was in vain, for instance when the process in question has died. */
  readonly giveUp?: () => void;
  /** How far things are, for the error at the time limit. */
  readonly state?: () => unknown;
}

type Found<T> = Exclude<T, undefined | null | false>;

/**
 * Asks until the answer is neither undefined, null nor false, and returns it. `what` completes the sentence
 * "gave up waiting until".
 */
export async function until<T>(
  attempt: () => T | Promise<T>,
  what: string,
  { withinMs = patienceMs, everyMs = 5, mayThrow = false, giveUp, state }: Waiting = {},
): Promise<Found<T>> {
  const startedAt = now();
  for (;;) {
    let cause: unknown;
    try {
      const answer = await attempt();
      if (answer !== undefined && answer !== null && answer !== false) return answer as Found<T>;
    } catch (error) {
      if (!mayThrow) throw error;
      cause = error;
    }
    giveUp?.();
    if (now() - startedAt > withinMs) throw tooLate(what, withinMs, cause, state?.());
    await sleep(everyMs);
  }
}

function tooLate(what: string, withinMs: number, cause?: unknown, state?: unknown): Error {
  const reason = cause instanceof Error ? `: ${cause.message}` : "";
  const seen = state === undefined ? "" : `; so far: ${inspect(state)}`;
  const message = `gave up after ${withinMs} ms of waiting until ${what}${reason}${seen}`;
  return new Error(message, { cause });
}

/** The outcome of a promise, or an error when it is not settled within `patienceMs`. */
export async function settled<T>(promise: Promise<T>, what: string): Promise<T> {
  const stop = new AbortController();
  const late = async (): Promise<never> => {
    await sleep(patienceMs, undefined, { signal: stop.signal });
    throw tooLate(what, patienceMs);
  };
  try {
    return await Promise.race([promise, late()]);
  } finally {
    stop.abort();
  }
}

/**
 * Lets everything run that is ready to run, and what that makes ready: enough to show that something in
 * memory does not happen. Takes turns of the event loop, not time.
 */
export async function turns(count = 50): Promise<void> {
  for (let at = 0; at < count; at += 1) await turn();
}
