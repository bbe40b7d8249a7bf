import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { CertwireError } from "../errors/certwire-error.ts";
import { CaIdentity } from "../events/ca-identity.ts";
import type { CaMemory } from "../events/ca-memory.ts";
import type { EventOptions } from "../events/envelope.ts";
import type { CertwireEvent } from "../events/event.ts";
import { LongLineError, splitLines } from "../files/lines.ts";
import { EncodingError } from "../files/text-encoding.ts";
import { frameOf } from "../state/dead-letter.ts";
import { decodeFrame, type EventContext } from "./decode-frame.ts";
import { isEvent, isObject, problemOfEvent } from "./event-check.ts";

/**
 * What a replay leaves out of its source: a `line` that is not JSON, such as one that a crash of the file
 * sink cut off, or a `record` that cannot be decoded.
 */
export type Skipped = "line" | "record";

/** How an event file is replayed. */
export interface EventFileOptions {
  /** For the events of records in dead letters. */
  readonly events: EventOptions;
  /** What the service remembers of the CA of each record. */
  readonly caMemory: CaMemory;
  /** Called for each line or record that is left out. */
  readonly skip: (what: Skipped) => void;
  /** Default 256 MiB. */
  readonly maxLineBytes?: number;
}

/** Longest line that is read, in bytes: several times the largest event of a file sink. */
const defaultMaxLineBytes = 256 * 1024 * 1024;

/**
 * The events of an NDJSON file, marked as replayed. The file is one of the file sink, or a dead-letter file,
 * whose records are decoded again; UTF-8, or UTF-16 with a byte order mark, as Windows PowerShell writes it.
 * Ends early if the signal is aborted. Rejects with CERTWIRE_EVENTS_UNREADABLE, or with CERTWIRE_EVENTS_INVALID
 * for JSON that is neither event nor dead letter, for a line above `maxLineBytes` (default 256 MiB) and, at its
 * end, for a file without any JSON.
 */
export async function* eventsOfFile(
  path: string,
  { events, caMemory, skip, maxLineBytes = defaultMaxLineBytes }: EventFileOptions,
  signal: AbortSignal,
): AsyncGenerator<CertwireEvent> {
  const context = { options: events, identity: new CaIdentity(caMemory) };
  let [lineNumber, whole] = [0, 0];
  let firstTorn: string | undefined;
  for await (const line of linesOf(path, maxLineBytes, signal)) {
    lineNumber += 1;
    if (line.every(isBlank)) continue;
    const place = `${path}:${lineNumber}`;
    const value = parse(line);
    if (value === undefined) {
      firstTorn ??= place;
      skip("line");
      continue;
    }
    if (!isUtf8(line)) throw badLine(place, "not UTF-8; save the file as UTF-8");
    whole += 1;
    const found = eventsOf(value, place, context);
    if (found.length === 0) skip("record");
    for (const event of found) yield { ...event, replayed: true };
  }
  if (firstTorn !== undefined && whole === 0 && !signal.aborted)
    throw badLine(firstTorn, "not JSON");
}

async function* linesOf(
  path: string,
  maxBytes: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  try {
    // A pipe gives its content once only, and a read that waits for it holds up the end of the process.
    if (!(await stat(path)).isFile()) {
      const hint = "A replay reads its file twice: write the events to a regular file first.";
      const message = `${path} is not a regular file`;
      throw new CertwireError("CERTWIRE_EVENTS_UNREADABLE", message, { hint });
    }
    const input: AsyncIterable<Buffer> = createReadStream(path, { signal });
    for await (const line of splitLines(input, maxBytes)) {
      if (signal.aborted) return;
      yield line;
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

/** The events of a line; none for a dead letter whose record cannot be decoded. */
function eventsOf(value: unknown, place: string, context: EventContext): readonly CertwireEvent[] {
  if (!isObject(value)) throw badLine(place, "not a JSON object");
  const isDeadLetter = "reason" in value && "sink" in value;
  if (isDeadLetter && !("event" in value)) return decode(value["record"], context);
  const event = isDeadLetter ? value["event"] : value;
  if (isEvent(event)) return [event];
  throw badLine(place, `not a Certwire event: ${problemOfEvent(event)}`);
}

/** Decodes a dead record again: this version may understand what an earlier one did not. */
function decode(record: unknown, context: EventContext): readonly CertwireEvent[] {
  const frame = frameOf(record);
  if (frame === undefined) return [];
  const decoded = decodeFrame(frame, context);
  if (!("undecodable" in decoded)) return decoded.events;
  if (decoded.undecodable.code === "CERTWIRE_RECORD_FAILED") throw decoded.undecodable;
  return [];
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

function badLine(place: string, message: string): CertwireError {
  return new CertwireError("CERTWIRE_EVENTS_INVALID", `${place}: ${message}`);
}
