import { fstatSync } from "node:fs";
import { finished } from "node:stream";
import { exitCodes } from "./exit-codes.ts";
import { say } from "./output.ts";

/** What stops a command besides SIGINT and SIGTERM. */
export interface StopOptions {
  /** True to stop when standard input ends or fails. Default false. */
  readonly onStdinEnd?: boolean;
  /** Called once, with the name of the signal or `end of standard input`. Default nothing. */
  readonly onStop?: (reason: string) => void;
}

/**
 * A signal that is aborted by SIGINT, SIGTERM or the end of standard input. A second one of these ends the
 * process immediately, with exit code 130.
 */
export function stopSignal(options: StopOptions = {}): AbortSignal {
  const controller = new AbortController();
  const stop = (reason: string): void => {
    if (controller.signal.aborted) {
      say("certwire: stopped immediately");
      process.exit(exitCodes.interrupted);
    }
    options.onStop?.(reason);
    controller.abort();
  };
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => stop(name));
  if (options.onStdinEnd) {
    finished(process.stdin, () => stop("end of standard input"));
    process.stdin.resume();
    // A file or a device has no handle that keeps the process alive.
    if ("unref" in process.stdin) process.stdin.unref();
  }
  return controller.signal;
}

/**
 * True if standard input is a pipe on Windows, where no signal reaches a process: a service host closes the
 * pipe instead.
 */
export function isStdinOfServiceHost(): boolean {
  try {
    return process.platform === "win32" && fstatSync(0).isFIFO();
  } catch {
    return false;
  }
}
