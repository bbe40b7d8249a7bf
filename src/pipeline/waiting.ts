import { once } from "node:events";
import { clock } from "../clock.ts";

/** Waits `ms`, or less if the signal is aborted. Never rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await clock.delay(ms, { signal }).catch(() => undefined);
}

/**
 * Waits for a step that may take longer than a stop should. True if it is done, false as soon as the signal
 * is aborted. Rejects if the step does.
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
