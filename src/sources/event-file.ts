import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { CertwireError } from "../errors/certwire-error.ts";
import type { CertwireEvent } from "../events/event.ts";
import { LongLineError, splitLines } from "../files/lines.ts";
import { EncodingError } from "../files/text-encoding.ts";
import { kibibyte, mebibyte } from "../units.ts";
import { isEvent, isObject, problemOfEvent } from "./event-check.ts";

/**
 * What a replay leaves out of its source: a `line` that is not JSON, such as one that a crash of the file
 * sink cut off, or a `record` that cannot be decoded.
 */
export type Skipped = "line" | "record";

/** How an event file is replayed. */
export interface EventFileOptions {
  /** Called for each line that is left out. */
  readonly skip: (what: Skipped) => void;
  /** Default 256 MiB. */
  readonly maxLineBytes?: number;
}

/** How much is read at once, in bytes: with the 64 KiB of Node.js, a third of the time of a large file goes into reads. */
const chunkBytes = 512 * kibibyte;
/** Longest line that is read, in bytes: several times the largest event of a file sink. */
const defaultMaxLineBytes = 256 * mebibyte;

/**
 * The events of an NDJSON file, marked as replayed: UTF-8, or UTF-16 with a byte order mark, as Windows PowerShell
 * writes it. Ends early if the signal is aborted. Rejects with CERTWIRE_EVENTS_UNREADABLE, or with
 * CERTWIRE_EVENTS_INVALID for JSON that is not an event, for a line above `maxLineBytes` (default 256 MiB) and, at
 * its end, for a file without any JSON.
 */
export async function* eventsOfFile(
  path: string,
  { skip, maxLineBytes = defaultMaxLineBytes }: EventFileOptions,
  signal: AbortSignal,
): AsyncGenerator<CertwireEvent> {
  let [lineNumber, whole] = [0, 0];
  let firstTorn: string | undefined;
  for await (const line of linesOfEventFile(path, signal, maxLineBytes)) {
    lineNumber += 1;
    if (line.length === 0) continue;
    const place = `${path}:${lineNumber}`;
    const value = parse(line);
    if (value === undefined) {
      firstTorn ??= place;
      skip("line");
      continue;
    }
    if (!isUtf8(line)) throw badLine(place, "not UTF-8; save the file as UTF-8");
    whole += 1;
    yield { ...eventOf(value, place), replayed: true };
  }
  if (firstTorn !== undefined && whole === 0 && !signal.aborted)
    throw badLine(firstTorn, "not JSON");
}

/**
 * The lines of an NDJSON file as UTF-8, without their line ends; one that is blank is empty. Ends early if the signal is
 * aborted. Rejects with CERTWIRE_EVENTS_UNREADABLE, or with CERTWIRE_EVENTS_INVALID for a line above `maxBytes` (default
 * 256 MiB) and for a file in another encoding.
 */
export async function* linesOfEventFile(
  path: string,
  signal: AbortSignal,
  maxBytes = defaultMaxLineBytes,
): AsyncGenerator<Buffer> {
  try {
    // A pipe gives its content once only, and a read that waits for it holds up the end of the process.
    const found = await stat(path);
    if (!found.isFile()) throw notRegular(path, found.isDirectory());
    const input: AsyncIterable<Buffer> = createReadStream(path, {
      signal,
      highWaterMark: chunkBytes,
    });
    for await (const line of splitLines(input, maxBytes)) {
      if (signal.aborted) return;
      yield line.every(isBlank) ? line.subarray(0, 0) : line;
    }
  } catch (cause) {
    if (signal.aborted) return;
    if (cause instanceof LongLineError) throw badLine(path, cause.message);
    if (cause instanceof EncodingError) throw badLine(path, `the file is ${cause.message}`);
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === undefined || cause instanceof CertwireError) throw cause;
    throw new CertwireError("CERTWIRE_EVENTS_UNREADABLE", `cannot read ${path}`, { cause });
  }
}

function eventOf(value: unknown, place: string): CertwireEvent {
  if (isEvent(value)) return value;
  if (isObject(value) && "reason" in value && "sink" in value) {
    const hint = "`certwire dead-letters redrive` publishes the dead letters of a state directory.";
    throw badLine(place, "a dead letter, not an event", hint);
  }
  throw badLine(place, `not a Certwire event: ${problemOfEvent(value)}`);
}

function notRegular(path: string, isDirectory: boolean): CertwireError {
  const message = isDirectory ? `${path} is a directory` : `${path} is not a regular file`;
  const hint = isDirectory
    ? "Name a file in it; those of a file sink end with .ndjson."
    : "A pipe can be read only once: write the events to a regular file first.";
  return new CertwireError("CERTWIRE_EVENTS_UNREADABLE", message, { hint });
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d;
}

/** `undefined` for a line that is not JSON. */
function parse(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString("utf8")) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function badLine(place: string, message: string, hint?: string): CertwireError {
  const options = hint === undefined ? {} : { hint };
  return new CertwireError("CERTWIRE_EVENTS_INVALID", `${place}: ${message}`, options);
}
