import { setTimeout as delay } from "node:timers/promises";

/** How often and after what delays a step that failed is tried again. */
export interface RetryOptions {
  /** Retries after the first try. Default Infinity: until it succeeds. */
  readonly limit?: number;
  /** Delay before the first retry, in ms; doubled with each further one, half of it random. Default 200. */
  readonly initialMs?: number;
  /** Longest delay, in ms. Default 30 000. */
  readonly maxMs?: number;
}

/** The delay before retry number `retry` (from 1), in ms: exponential, and half of it random. */
export function backOffMs(retry: number, { initialMs, maxMs }: Required<RetryOptions>): number {
  const ceiling = Math.min(maxMs, initialMs * 2 ** Math.min(retry - 1, 30));
  return Math.round(ceiling / 2 + (Math.random() * ceiling) / 2);
}

/** Waits `ms`, or less if the signal is aborted. Never rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

/** Resolves when the signal is aborted. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
