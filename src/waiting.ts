const never = new AbortController().signal;

/**
 * The outcome of a step, or a rejection with the signal's reason as soon as it is aborted. `discard` gets what the step
 * gives after that, and only that. Leaves no listener on the signal, which outlives many steps. Default signal: one that is never
 * aborted.
 */
export async function unlessAborted<T>(
  step: Promise<T>,
  signal: AbortSignal = never,
  discard: (late: T) => unknown = () => undefined,
): Promise<T> {
  let stop: () => void = () => undefined;
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
  });
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await Promise.race([stopped, step]);
  } catch (error) {
    // An abort right after the step had ended changes nothing: its outcome is already given.
    if (signal.aborted && error === signal.reason) step.then(discard).catch(() => undefined);
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** The outcome of a step, or a rejection with `late()` when it takes longer than `limitMs`. */
export async function within<T>(step: Promise<T>, limitMs: number, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const ended = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), limitMs);
  });
  try {
    return await Promise.race([step, ended]);
  } finally {
    clearTimeout(timer);
  }
}
