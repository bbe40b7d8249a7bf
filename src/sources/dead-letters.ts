import { isUtf8 } from "node:buffer";
import { z } from "zod";
import { CertwireError } from "../errors/certwire-error.ts";
import type { CertwireEvent } from "../events/event.ts";
import { LongLineError, splitLines } from "../files/lines.ts";
import { readChunks } from "../files/read-chunks.ts";
import { EncodingError } from "../files/text-encoding.ts";
import { type DeadLetter, frameOf, recordId } from "../state/dead-letter.ts";
import type { OpenDeadLetters } from "../state/dead-letter-files.ts";
import { mebibyte } from "../units.ts";
import { decodeFrame, type EventContext } from "./decode-frame.ts";
import { isEvent, isObject } from "./event-check.ts";

/** Longest line that is read, in bytes: several times the largest dead letter. */
const maxLineBytes = 256 * mebibyte;

/** Longest id of an event that is read, in characters; those of Certwire have about 60. */
const maxIdLength = 256;

/** A dead letter as it stands in a file. */
export interface FoundLetter {
  /** The id of its event, or of its record; the place of the line if it has neither. */
  readonly id: string;
  readonly letter: DeadLetter;
  readonly file: OpenDeadLetters;
  /** Bytes of its line. */
  readonly bytes: number;
  /** Bytes of the file up to its end. */
  readonly endsAt: number;
}

/** Something in a file that is not a dead letter, such as a line that a crash cut off. */
export interface OtherLine {
  /** Path and number, such as `rabbit.ndjson:12`. */
  readonly place: string;
  readonly file: OpenDeadLetters;
}

const lineShape = z.object({
  time: z.iso.datetime(),
  sink: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
  reason: z.enum(["undecodable", "unencodable", "rejected", "unroutable"]),
  message: z.string(),
  event: z
    .custom<CertwireEvent>((value) => isEvent(value) && value.id.length <= maxIdLength)
    .optional(),
  record: z.custom<DeadLetter["record"]>((value) => frameOf(value) !== undefined).optional(),
  text: z.string().optional(),
});

/**
 * The dead letters of some files, in the order of the files. Holds one line in memory at a time. What Certwire would not
 * have written is passed on as what it is; after a line that cannot be a text, the rest of its file is not read. Ends
 * early if the signal is aborted. Rejects with CERTWIRE_EVENTS_UNREADABLE.
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
  let [number, endsAt] = [0, 0];
  try {
    for await (const line of splitLines(readChunks(handle, size), maxLineBytes)) {
      if (signal.aborted) return;
      number += 1;
      endsAt += line.length + 1;
      if (line.length === 0) continue;
      const place = `${path}:${number}`;
      const letter = parseLetter(line);
      if (letter === undefined) yield { place, file };
      else yield { id: idOf(letter) ?? place, letter, file, bytes: line.length, endsAt };
    }
  } catch (cause) {
    if (!(cause instanceof LongLineError || cause instanceof EncodingError)) {
      throw new CertwireError("CERTWIRE_EVENTS_UNREADABLE", `cannot read ${path}`, { cause });
    }
    yield { place: `${path}:${number + 1}`, file };
  }
}

/** `undefined` for anything that Certwire would not have written. */
function parseLetter(line: Buffer): DeadLetter | undefined {
  if (!isUtf8(line)) return undefined;
  const { time, sink, reason, message, event, record, text } =
    lineShape.safeParse(parseJson(line)).data ?? {};
  if (time === undefined || sink === undefined || reason === undefined) return undefined;
  return {
    time,
    sink,
    reason,
    message: message ?? "",
    ...(event !== undefined && { event }),
    ...(record !== undefined && { record }),
    ...(text !== undefined && { text }),
  };
}

function parseJson(line: Buffer): unknown {
  try {
    const value: unknown = JSON.parse(line.toString("utf8"));
    return isObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function idOf({ event, record }: DeadLetter): string | undefined {
  if (event !== undefined) return event.id;
  const frame = frameOf(record);
  return frame && recordId(frame);
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
