import { openSync, writeSync } from "node:fs";
import { type DestinationStream, type Logger, pino } from "pino";
import { escapeActive } from "../events/json-text.ts";

/** How long to wait before writing to a full pipe is tried again, in ms. */
const slowReaderMs = 10;

/** How often one line is tried again: 100 ms in all, since the whole process waits for it. */
const maxWaits = 10;

/**
 * A logger of JSON lines, to standard error (standard output is for data) or to a file. A log that cannot be
 * written (a full disk, a reader that hangs) stops nothing: its lines are dropped, and the next line that can
 * be written has their number as `droppedLines`.
 */
export function createLogger(level: string, file?: string): Logger {
  const stream = tolerantStream(file === undefined ? standardError() : openSync(file, "a"));
  return pino({ level, base: { name: "certwire" }, timestamp: () => `,"time":"${now()}"` }, stream);
}

/** Using the stream makes a pipe non-blocking, except on Windows, where a write waits for its reader. */
function standardError(): number {
  return process.stderr.fd;
}

/** Writes lines to an open file, and never throws. */
function tolerantStream(file: number): DestinationStream {
  let dropped = 0;
  let isTorn = false; // the file ends with an incomplete line
  let isStuck = false; // the last line was dropped after its waits, so the next ones do not wait
  return {
    write(text) {
      const line = escapeActive(text);
      const counted = dropped === 0 ? line : line.replace("{", `{"droppedLines":${dropped},`);
      const bytes = Buffer.from(isTorn ? `\n${counted}` : counted);
      const written = writeWithLimit(file, bytes, isStuck ? 0 : maxWaits);
      if (written === bytes.length) {
        [dropped, isTorn, isStuck] = [0, false, false];
      } else {
        [dropped, isTorn, isStuck] = [dropped + 1, isTorn || written > 0, true];
      }
    },
  };
}

/** Writes bytes, waiting for a slow reader at most `waits` times; returns how many were written. */
function writeWithLimit(file: number, bytes: Buffer, waits: number): number {
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
