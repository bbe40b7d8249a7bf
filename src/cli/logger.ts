import { openSync, writeSync } from "node:fs";
import { type DestinationStream, type Logger, pino } from "pino";

/** How long to wait for a pipe whose reader is slow before it is tried again, in ms. */
const slowReaderMs = 10;

/** How often a line waits for a slow reader: 100 ms in all, since the whole process waits with it. */
const mostWaits = 10;

/**
 * A logger of JSON lines on standard error, since standard output is kept for data, or in a file. A
 * log that cannot be written (a full disk, a reader that stands still) stops nobody: its lines are
 * dropped, and counted in the next line that can be written.
 */
export function createLogger(level: string, file?: string): Logger {
  const stream = tolerantStream(file === undefined ? standardError() : openSync(file, "a"));
  return pino({ level, base: { name: "certwire" }, timestamp: () => `,"time":"${now()}"` }, stream);
}

/** Taking the stream makes a pipe non-blocking, except on Windows, where a write waits for its reader. */
function standardError(): number {
  return process.stderr.fd;
}

/** Writes lines to an open file, and never throws. */
function tolerantStream(file: number): DestinationStream {
  let dropped = 0;
  let isTorn = false; // the last thing in the file is a part of a line
  let isStuck = false; // a line has waited in vain, so the next ones do not
  return {
    write(line) {
      const counted = dropped === 0 ? line : line.replace("{", `{"droppedLines":${dropped},`);
      const bytes = Buffer.from(isTorn ? `\n${counted}` : counted);
      const written = writeBounded(file, bytes, isStuck ? 0 : mostWaits);
      if (written === bytes.length) {
        [dropped, isTorn, isStuck] = [0, false, false];
      } else {
        [dropped, isTorn, isStuck] = [dropped + 1, isTorn || written > 0, true];
      }
    },
  };
}

/** Waits `waits` times for a slow reader. How many bytes were written. */
function writeBounded(file: number, bytes: Buffer, waits: number): number {
  let written = 0;
  let left = waits;
  while (written < bytes.length) {
    try {
      written += writeSync(file, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN" || left === 0) break;
      left -= 1;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, slowReaderMs);
    }
  }
  return written;
}

function now(): string {
  return new Date().toISOString();
}
