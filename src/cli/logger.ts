import { openSync, writeSync } from "node:fs";
import { type DestinationStream, type Logger, pino } from "pino";

/** How long to wait for a pipe whose reader is slow before it is tried again, in ms. */
const slowReaderMs = 10;

/**
 * A logger of JSON lines on standard error, since standard output is kept for data, or in a file. A
 * log that cannot be written (a full disk) stops nobody: its lines are dropped, and counted in the next
 * line that can be written.
 */
export function createLogger(level: string, file?: string): Logger {
  const stream = tolerantStream(file === undefined ? 2 : openSync(file, "a"));
  return pino({ level, base: { name: "certwire" }, timestamp: () => `,"time":"${now()}"` }, stream);
}

/** Writes lines to an open file, and never throws. */
function tolerantStream(file: number): DestinationStream {
  let dropped = 0;
  return {
    write(line) {
      const counted = dropped === 0 ? line : line.replace("{", `{"droppedLines":${dropped},`);
      try {
        writeWhole(file, counted);
        dropped = 0;
      } catch {
        dropped += 1;
      }
    },
  };
}

function writeWhole(file: number, line: string): void {
  let rest = Buffer.from(line);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(file, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, slowReaderMs);
    }
  }
}

function now(): string {
  return new Date().toISOString();
}
