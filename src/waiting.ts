import { clock, type Timer } from "./clock.ts";

const never = new AbortController().signal;

/** What happens when a step is given up. */
export interface GivenUp<T> {
  /** Gets what the step gives after that, and only that. Default: nothing does. */
  readonly discard?: (late: T) => unknown;
  /** The error to reject with. Default: the reason of the signal. */
  readonly error?: () => Error;
}

/**
 * The outcome of a step that cannot be cancelled, or a rejection as soon as the signal is aborted. Leaves no listener on the
 * signal, which outlives many steps. Default signal: one that is never aborted.
 */
export async function unlessAborted<T>(
  step: Promise<T>,
  signal: AbortSignal = never,
  { discard, error: errorOf }: GivenUp<T> = {},
): Promise<T> {
  let given: unknown;
  let stop: () => void = () => undefined;
  const stopped = new Promise<never>((_, reject) => {
    stop = () => {
      given = errorOf ? errorOf() : signal.reason;
      reject(given);
    };
  });
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await Promise.race([stopped, step]);
  } catch (error) {
    // An abort right after the step had ended changes nothing: its outcome is already given.
    if (given !== undefined && error === given) step.then(discard).catch(() => undefined);
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** The outcome of a step, or a rejection with `late()` when it takes longer than `limitMs`. */
export async function within<T>(step: Promise<T>, limitMs: number, late: () => Error): Promise<T> {
  let timer: Timer | undefined;
  const ended = new Promise<never>((_, reject) => {
    timer = clock.setTimeout(() => reject(late()), limitMs);
  });
  try {
    return await Promise.race([step, ended]);
  } finally {
    clock.clear(timer);
  }
}
