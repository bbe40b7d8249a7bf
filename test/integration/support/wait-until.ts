import { setTimeout as sleep } from "node:timers/promises";

/** How long and how often `waitUntil` asks. */
export interface WaitOptions {
  /** What is waited for, for the message of the error. */
  readonly what: string;
  /** Default 30,000 ms. */
  readonly timeoutMs?: number;
  /** Pause between two attempts; default 100 ms. */
  readonly intervalMs?: number;
  /** Ends the wait at once by throwing, for instance when the process in question has died. */
  readonly giveUp?: () => void;
}

/**
 * Asks until the answer is neither undefined nor false, and returns it. An attempt that throws counts
 * as "not yet"; the error of the last one is the cause of the error at the time limit.
 */
export async function waitUntil<T>(
  attempt: () => Promise<T | undefined | false>,
  options: WaitOptions,
): Promise<T> {
  const deadline = Date.now() + (options.timeoutMs ?? 30_000);
  let cause: unknown;
  do {
    options.giveUp?.();
    try {
      const answer = await attempt();
      if (answer !== undefined && answer !== false) return answer;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await sleep(options.intervalMs ?? 100);
  } while (Date.now() < deadline);
  const reason = cause instanceof Error ? `: ${cause.message}` : "";
  throw new Error(`gave up waiting for ${options.what}${reason}`, { cause });
}
