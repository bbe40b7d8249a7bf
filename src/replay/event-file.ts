import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { CertwireError } from "../errors/certwire-error.ts";
import type { CertwireEvent } from "../exit/event.ts";

/**
 * The events of an NDJSON file, as the file sink writes them; of a dead-letter file the events in its
 * letters. They come out marked as replayed. Rejects with a CertwireError at a line that is neither.
 */
export async function* eventsOfFile(path: string): AsyncGenerator<CertwireEvent> {
  let lineNumber = 0;
  for await (const line of linesOf(path)) {
    lineNumber += 1;
    if (line.trim() === "") continue;
    const event = eventOf(line, `${path}:${lineNumber}`);
    if (event !== undefined) yield { ...event, replayed: true };
  }
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const input = createReadStream(path);
  try {
    yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === undefined) throw cause;
    throw new CertwireError("CERTWIRE_EVENTS_UNREADABLE", `cannot read ${path}`, { cause });
  }
}

/** The event of a line; `undefined` for a dead letter of a record that could not be decoded. */
function eventOf(line: string, place: string): CertwireEvent | undefined {
  const value = parseObject(line, place);
  const isDeadLetter = "reason" in value && "sink" in value;
  if (isDeadLetter && !("event" in value)) return undefined;
  const event = (isDeadLetter ? value["event"] : value) as Partial<CertwireEvent>;
  const { specversion, id, type, time, partitionkey } = event;
  const texts = [id, type, time, partitionkey];
  if (specversion === "1.0" && texts.every((text) => typeof text === "string")) {
    return event as CertwireEvent;
  }
  throw badLine(place, "not an event of Certwire");
}

function parseObject(line: string, place: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    throw badLine(place, "not JSON");
  }
  throw badLine(place, "not a JSON object");
}

function badLine(place: string, message: string): CertwireError {
  return new CertwireError("CERTWIRE_EVENTS_INVALID", `${place}: ${message}`);
}
