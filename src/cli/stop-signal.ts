import { fstatSync } from "node:fs";
import { finished } from "node:stream";
import { exitCodes } from "./exit-codes.ts";
import { say } from "./output.ts";

/** How a command may be stopped. */
export interface StopOptions {
  /** Stops when standard input ends or fails. Default false. */
  readonly onStdinEnd?: boolean;
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
  if (options.onStdinEnd) {
    finished(process.stdin, () => stop("end of standard input"));
    process.stdin.resume();
    // A file or a device has no handle that could hold up the end of the process.
    if ("unref" in process.stdin) process.stdin.unref();
  }
  return controller.signal;
}

/**
 * True for a pipe on Windows, where no signal reaches a process: a service host closes the pipe
 * instead.
 */
export function isStdinOfServiceHost(): boolean {
  try {
    return process.platform === "win32" && fstatSync(0).isFIFO();
  } catch {
    return false;
  }
}
