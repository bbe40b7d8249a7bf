import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";

/** Waits, or returns early when the signal is aborted. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

/**
 * Waits for a step that may take longer than a stop may: true when it has ended, false as soon as the
 * signal is aborted. Rejects as the step does.
 */
export async function isDoneBeforeAbort(
  step: Promise<void>,
  signal: AbortSignal,
): Promise<boolean> {
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
