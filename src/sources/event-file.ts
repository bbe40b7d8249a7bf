import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { CertwireError } from "../errors/certwire-error.ts";
import { CaIdentity, type CaIds } from "../events/ca-identity.ts";
import type { EventOptions } from "../events/envelope.ts";
import type { CertwireEvent } from "../events/event.ts";
import { isOwnType } from "../events/event-kind.ts";
import { frameOf } from "../state/dead-letter.ts";
import { decodeFrame, type EventContext } from "./decode-frame.ts";

/**
 * What a source holds besides events: a `line` that is not JSON, as a crash of the file sink leaves it,
 * or a `record` that cannot be decoded.
 */
export type Skipped = "line" | "record";

/** How a file of events is replayed. */
export interface EventFileOptions {
  /** For the records in dead letters. */
  readonly events: EventOptions;
  /** Which CA the service took its records for. */
  readonly caIds: CaIds;
  readonly skip: (what: Skipped) => void;
}

/**
 * The events of an NDJSON file, as the file sink writes them; of a dead-letter file the events in its
 * letters, and those of its records that can be decoded now. They come out marked as replayed. Ends
 * early when the signal is aborted. Rejects with a CertwireError at JSON that is neither, and at the
 * end of a file that holds lines but no JSON.
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
    const input = createReadStream(path, { signal });
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (signal.aborted) return;
      yield line;
    }
  } catch (cause) {
    if (signal.aborted) return;
    if ((cause as NodeJS.ErrnoException).code === undefined) throw cause;
    throw new CertwireError("CERTWIRE_EVENTS_UNREADABLE", `cannot read ${path}`, { cause });
  }
}

/** The events of a line; none for a dead letter of a record that cannot be decoded. */
function eventsOf(value: unknown, place: string, context: EventContext): readonly CertwireEvent[] {
  if (!isObject(value)) throw badLine(place, "not a JSON object");
  const isDeadLetter = "reason" in value && "sink" in value;
  if (isDeadLetter && !("event" in value)) return decode(value["record"], context);
  const event = isDeadLetter ? value["event"] : value;
  if (isEvent(event)) return [event];
  throw badLine(place, "not an event of Certwire");
}

/** A later version may understand what the one that gave it up did not. */
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
