import { clock } from "../clock.ts";
import { pause } from "./waiting.ts";

/** Delays between the tries of a step. There is no limit to their number. */
export interface RetryPolicy {
  /** Delay after the first failure, in ms; doubled with each further one. */
  readonly initialMs: number;
  /** Maximum delay, in ms. */
  readonly maxMs: number;
}

/** Counts the consecutive failures of one step; its delays double, and half of each is random. */
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

  /** Counts one more failure; returns how long to wait before the next try, in ms. */
  nextDelayMs(): number {
    this.#failures += 1;
    const { initialMs, maxMs } = this.#policy;
    const ceiling = Math.min(maxMs, initialMs * 2 ** Math.min(this.#failures - 1, 30));
    return Math.round(ceiling / 2 + (clock.random() * ceiling) / 2);
  }

  /** Forgets the failures. */
  succeeded(): void {
    this.#failures = 0;
  }
}

/** How `retryUntilDone` behaves after a failure. */
export interface RetryLoop {
  readonly policy: RetryPolicy;
  /** Ends the loop, even during a delay. */
  readonly signal: AbortSignal;
  /** Called with each error, the number of consecutive failures, and the delay before the next try in ms. */
  readonly failed: (error: unknown, failures: number, delayMs: number) => void;
}

/** Repeats a step without limit until it resolves. Resolves to `undefined` if the signal is aborted first. */
export async function retryUntilDone<T>(
  step: () => Promise<T>,
  { policy, signal, failed }: RetryLoop,
): Promise<T | undefined> {
  const retry = new Retry(policy);
  while (!signal.aborted) {
    try {
      return await step();
    } catch (error) {
      const delayMs = retry.nextDelayMs();
      failed(error, retry.failures, delayMs);
      await pause(delayMs, signal);
    }
  }
  return undefined;
}
