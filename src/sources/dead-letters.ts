import { z } from "zod";
import { CertwireError } from "../errors/certwire-error.ts";
import type { CertwireEvent } from "../events/event.ts";
import { splitLines } from "../files/lines.ts";
import { type DeadLetter, frameOf } from "../state/dead-letter.ts";
import type { OpenDeadLetters } from "../state/dead-letter-files.ts";
import { decodeFrame, type EventContext } from "./decode-frame.ts";
import { isEvent, isObject } from "./event-check.ts";

/** Longest line that is read, in bytes: several times the largest dead letter. */
const maxLineBytes = 256 * 1024 * 1024;

/** A dead letter as it stands in a file. */
export interface FoundLetter {
  /** The id of its event, or one made alike for its record; the place of the line if it has neither. */
  readonly id: string;
  readonly letter: DeadLetter;
  readonly file: OpenDeadLetters;
  /** Bytes of the file up to its end. */
  readonly endsAt: number;
}

/** A line that is not a dead letter, such as one that a crash cut off. */
export interface OtherLine {
  /** Path and number, such as `rabbit.ndjson:12`. */
  readonly place: string;
  readonly file: OpenDeadLetters;
}

const head = z.object({
  time: z.string().max(64),
  sink: z.string().max(256),
  reason: z.enum(["undecodable", "unencodable", "rejected", "unroutable"]),
  message: z.string(),
});

/**
 * The dead letters of some files, in the order of the files. Holds one line in memory at a time. Ends early if the
 * signal is aborted. Rejects with CERTWIRE_EVENTS_UNREADABLE.
 */
export async function* readDeadLetters(
  files: readonly OpenDeadLetters[],
  signal: AbortSignal,
): AsyncGenerator<FoundLetter | OtherLine> {
  for (const file of files) yield* lettersOf(file, signal);
}

async function* lettersOf(
  file: OpenDeadLetters,
  signal: AbortSignal,
): AsyncGenerator<FoundLetter | OtherLine> {
  const { path, handle, size } = file;
  if (size === 0) return;
  const input = handle.createReadStream({ start: 0, end: size - 1, autoClose: false, signal });
  let [number, endsAt] = [0, 0];
  try {
    for await (const line of splitLines(input, maxLineBytes)) {
      if (signal.aborted) return;
      number += 1;
      endsAt += line.length + 1;
      if (line.length === 0) continue;
      const place = `${path}:${number}`;
      const letter = parseLetter(line);
      yield letter === undefined
        ? { place, file }
        : { id: idOf(letter) ?? place, letter, file, endsAt };
    }
  } catch (cause) {
    if (signal.aborted) return;
    throw new CertwireError("CERTWIRE_EVENTS_UNREADABLE", `cannot read ${path}`, { cause });
  }
}

/** `undefined` for anything that Certwire would not have written. */
function parseLetter(line: Buffer): DeadLetter | undefined {
  const value = parseJson(line);
  if (!isObject(value) || !head.safeParse(value).success) return undefined;
  if ("event" in value && !isEvent(value["event"])) return undefined;
  return value as unknown as DeadLetter;
}

function parseJson(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString("utf8")) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function idOf({ event, record }: DeadLetter): string | undefined {
  if (event !== undefined) return event.id;
  const frame = frameOf(record);
  return frame && `${frame.epochId}-${frame.sequence}-${frame.index}`;
}

/**
 * The events of a dead letter, marked as replayed. A record is decoded again: this version may understand what an
 * earlier one did not. None if it cannot be decoded or JSON cannot hold it. Throws CERTWIRE_RECORD_FAILED if the
 * record is not the reason.
 */
export function eventsOfLetter(letter: DeadLetter, context: EventContext): CertwireEvent[] {
  const { event, record } = letter;
  if (event !== undefined) return [{ ...event, replayed: true }];
  const frame = frameOf(record);
  if (frame === undefined) return [];
  const decoded = decodeFrame(frame, context);
  if (!("undecodable" in decoded))
    return decoded.events.map((each) => ({ ...each, replayed: true }));
  if (decoded.undecodable.code === "CERTWIRE_RECORD_FAILED") throw decoded.undecodable;
  return [];
}
