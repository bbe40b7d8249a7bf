import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createInterface } from "node:readline";
import { CertwireError } from "../errors/certwire-error.ts";
import { CaIdentity, type CaIds } from "../events/ca-identity.ts";
import type { EventOptions } from "../events/envelope.ts";
import type { CertwireEvent } from "../events/event.ts";
import { isOwnType } from "../events/event-kind.ts";
import { frameOf } from "../state/dead-letter.ts";
import { decodeFrame, type EventContext } from "./decode-frame.ts";

/**
 * What a replay leaves out of its source: a `line` that is not JSON, such as one that a crash of the file
 * sink cut off, or a `record` that cannot be decoded.
 */
export type Skipped = "line" | "record";

/** How an event file is replayed. */
export interface EventFileOptions {
  /** For the events of records in dead letters. */
  readonly events: EventOptions;
  /** The CA ids that the service gave its records. */
  readonly caIds: CaIds;
  /** Called for each line or record that is left out. */
  readonly skip: (what: Skipped) => void;
}

/**
 * The events of an NDJSON file, marked as replayed. The file is one of the file sink, or a dead-letter file,
 * whose records are decoded again. Ends early if the signal is aborted. Rejects with
 * CERTWIRE_EVENTS_UNREADABLE, or with CERTWIRE_EVENTS_INVALID for JSON that is neither event nor dead letter
 * and, at its end, for a file without any JSON.
 */
export async function* eventsOfFile(
  path: string,
  { events, caIds, skip }: EventFileOptions,
  signal: AbortSignal,
): AsyncGenerator<CertwireEvent> {
  const context = { options: events, identity: new CaIdentity(caIds) };
  let [lineNumber, whole] = [0, 0];
  let firstTorn: string | undefined;
  for await (const line of linesOf(path, signal)) {
    lineNumber += 1;
    if (line.trim() === "") continue;
    const place = `${path}:${lineNumber}`;
    const value = parse(line);
    if (value === undefined) {
      firstTorn ??= place;
      skip("line");
      continue;
    }
    whole += 1;
    const found = eventsOf(value, place, context);
    if (found.length === 0) skip("record");
    for (const event of found) yield { ...event, replayed: true };
  }
  if (firstTorn !== undefined && whole === 0 && !signal.aborted)
    throw badLine(firstTorn, "not JSON");
}

async function* linesOf(path: string, signal: AbortSignal): AsyncGenerator<string> {
  try {
    // A pipe gives its content once only, and a read that waits for it holds up the end of the process.
    if (!(await stat(path)).isFile()) {
      const hint = "A replay reads its file twice: write the events to a regular file first.";
      const message = `${path} is not a regular file`;
      throw new CertwireError("CERTWIRE_EVENTS_UNREADABLE", message, { hint });
    }
    const input = createReadStream(path, { signal });
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (signal.aborted) return;
      yield line;
    }
  } catch (cause) {
    if (signal.aborted) return;
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
  throw badLine(place, "not a Certwire event");
}

/** Decodes a dead record again: this version may understand what an earlier one did not. */
function decode(record: unknown, context: EventContext): readonly CertwireEvent[] {
  const frame = frameOf(record);
  if (frame === undefined) return [];
  const decoded = decodeFrame(frame, context);
  return "undecodable" in decoded ? [] : decoded.events;
}

function isEvent(value: unknown): value is CertwireEvent {
  if (!isObject(value)) return false;
  const { specversion, id, type, time, partitionkey, data } = value;
  if (specversion !== "1.0" || typeof id !== "string" || typeof partitionkey !== "string")
    return false;
  const isTimed = typeof time === "string" && !Number.isNaN(Date.parse(time));
  return isTimed && typeof type === "string" && isOwnType(type) && isObject(data);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** `undefined` for a line that is not JSON. */
function parse(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}

function badLine(place: string, message: string): CertwireError {
  return new CertwireError("CERTWIRE_EVENTS_INVALID", `${place}: ${message}`);
}
