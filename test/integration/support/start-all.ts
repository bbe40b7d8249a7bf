/** A broker or another server that runs. */
interface Stoppable {
  stop(): Promise<unknown>;
}

/**
 * Waits until all of these have started. If one fails, the others are stopped, since they would keep the process alive;
 * rejects with the error of the first that failed.
 */
export async function startAll<const T extends readonly Promise<Stoppable>[]>(
  ...starting: T
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  try {
    return await Promise.all(starting);
  } catch (error) {
    for (const outcome of await Promise.allSettled(starting)) {
      if (outcome.status === "fulfilled") await outcome.value.stop();
    }
    throw error;
  }
}
