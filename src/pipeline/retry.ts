import { pause } from "./waiting.ts";

/** How a failed step is tried again. */
export interface RetryPolicy {
  /** First delay, in ms; doubled with each failure. */
  readonly initialMs: number;
  /** Largest delay, in ms. */
  readonly maxMs: number;
}

/** Counts the failures in a row of one step: exponential delays, half of each random. */
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

  /** Counts one more failure; returns how long to wait, in ms. */
  nextDelayMs(): number {
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

/** How `retryUntilDone` goes on after a failure. */
export interface RetryLoop {
  readonly policy: RetryPolicy;
  /** Ends the loop, also in the middle of a delay. */
  readonly signal: AbortSignal;
  /** Gets each failure, the failures in a row and the delay before the next try, in ms. */
  readonly failed: (error: unknown, failures: number, delayMs: number) => void;
}

/**
 * Repeats a step without limit until it resolves; `undefined` when the signal was aborted first. A step
 * that fails after that is not reported.
 */
export async function retryUntilDone<T>(
  step: () => Promise<T>,
  { policy, signal, failed }: RetryLoop,
): Promise<T | undefined> {
  const retry = new Retry(policy);
  while (!signal.aborted) {
    try {
      return await step();
    } catch (error) {
      if (signal.aborted) break;
      const delayMs = retry.nextDelayMs();
      failed(error, retry.failures, delayMs);
      await pause(delayMs, signal);
    }
  }
  return undefined;
}
