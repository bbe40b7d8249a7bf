import { fstatSync } from "node:fs";
import { exitCodes } from "./exit-codes.ts";
import { say } from "./output.ts";

/** How a command may be stopped. */
export interface StopOptions {
  /**
   * Stops when standard input ends. Default: on Windows when it is a pipe, since no signal reaches a
   * process there; a service host closes the pipe instead.
   */
  readonly onStdinEnd?: boolean | undefined;
  /** Told once, with what asked for the stop. */
  readonly onStop?: (reason: string) => void;
}

/** A signal that is aborted by SIGINT, SIGTERM or the end of standard input; a second one ends at once. */
export function stopSignal(options: StopOptions = {}): AbortSignal {
  const controller = new AbortController();
  const stop = (reason: string): void => {
    if (controller.signal.aborted) {
      say("certwire: stopped at once");
      process.exit(exitCodes.interrupted);
    }
    options.onStop?.(reason);
    controller.abort();
  };
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => stop(name));
  if (options.onStdinEnd ?? (process.platform === "win32" && isStdinPipe())) {
    process.stdin.on("end", () => stop("end of standard input")).resume();
    process.stdin.unref();
  }
  return controller.signal;
}

function isStdinPipe(): boolean {
  try {
    return fstatSync(0).isFIFO();
  } catch {
    return false;
  }
}
