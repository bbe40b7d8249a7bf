import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";

/** How a failed step is tried again. */
export interface RetryPolicy {
  /** First delay, in ms; doubled with each failure. */
  readonly initialMs: number;
  /** Largest delay, in ms. */
  readonly maxMs: number;
}

/** The failures in a row of one step, and the pause that follows: exponential, half of it random. */
export class Retry {
  readonly #policy: RetryPolicy;
  #failures = 0;

  constructor(policy: RetryPolicy) {
    this.#policy = policy;
  }

  /** Failures since the last success. */
  get failures(): number {
    return this.#failures;
  }

  /** Counts a failure; returns how long to wait, in ms. */
  failed(): number {
    this.#failures += 1;
    const { initialMs, maxMs } = this.#policy;
    const ceiling = Math.min(maxMs, initialMs * 2 ** Math.min(this.#failures - 1, 30));
    return Math.round(ceiling / 2 + (Math.random() * ceiling) / 2);
  }

  /** Forgets the failures. */
  succeeded(): void {
    this.#failures = 0;
  }
}

/** Waits, or returns early when the signal is aborted. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

/** Waits for a step that may take longer than anybody wants to wait after a stop; false after a stop. */
export async function endedBefore(step: Promise<void>, signal: AbortSignal): Promise<boolean> {
  const stopping = new AbortController();
  const stopped = once(signal, "abort", { signal: stopping.signal }).then(
    () => false,
    () => false,
  );
  const ended = step.then(() => true);
  ended.catch(() => undefined);
  try {
    return !signal.aborted && (await Promise.race([ended, stopped]));
  } finally {
    stopping.abort();
  }
}
