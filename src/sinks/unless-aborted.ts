import { CertwireError } from "../errors/certwire-error.ts";

/** Waits for something that cannot be cancelled until it ends or the signal is aborted. */
export async function unlessAborted<T>(waiting: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = (): void => {
      reject(new CertwireError("CERTWIRE_SINK_UNREACHABLE", "stopped before the publish ended"));
    };
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    waiting.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
