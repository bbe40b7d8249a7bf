import type { CertwireError } from "../errors/certwire-error.ts";
import { escapedBytes } from "../events/json-text.ts";
import { encodeEvent } from "../events/outbound-event.ts";
import { isSelected, type Selection } from "../events/selection.ts";
import { filetimeText } from "../events/times.ts";
import { frameTypes, type JournalFrame } from "../journal/frame.ts";
import type { WholeJournal } from "../journal/whole-journal.ts";
import { decodeFrame, type EventContext, type FrameContent } from "../sources/decode-frame.ts";

/** Which lines to make from a journal. */
export interface LineOptions {
  readonly context: EventContext;
  readonly selection: Selection;
  /** True for the records as the exit module wrote them, false for events. */
  readonly isRaw: boolean;
  /** Called with the error of each record that cannot be decoded. */
  readonly undecodable: (error: CertwireError) => void;
}

/** Some lines of NDJSON in UTF-8, without their ends, and the last frame that they cover. */
export interface JournalLines {
  readonly lines: readonly Buffer[];
  readonly last: JournalFrame;
}

/** The selected events or records, in the order of the journal. Rejects with CERTWIRE_JOURNAL_UNREADABLE. */
export async function* linesOfJournal(
  journal: WholeJournal,
  options: LineOptions,
  signal: AbortSignal,
): AsyncGenerator<JournalLines> {
  for await (const frames of journal.chunks(signal)) {
    const last = frames.at(-1);
    if (last === undefined) continue;
    yield { lines: frames.flatMap((frame) => linesOfFrame(frame, options)), last };
  }
}

function linesOfFrame(frame: JournalFrame, options: LineOptions): Buffer[] {
  const decoded = decodeFrame(frame, options.context);
  if ("undecodable" in decoded) {
    options.undecodable(decoded.undecodable);
    // Raw output is used to examine records, above all those that cannot be decoded.
    return options.isRaw ? [lineOf(rawLine(frame))] : [];
  }
  const selected = decoded.events.filter((event) => isSelected(event, options.selection));
  if (!options.isRaw) return selected.map((event) => encodeEvent(event).json);
  return selected.length === 0 ? [] : [lineOf(rawLine(frame, decoded.content))];
}

function lineOf(value: object): Buffer {
  return escapedBytes(JSON.stringify(value));
}

const lineEnd = Buffer.from("\n");

/** The lines with their ends. */
export function withEnds(lines: readonly Buffer[]): Buffer {
  return Buffer.concat(lines.flatMap((line) => [line, lineEnd]));
}

/** The record as an object; without `content`, the payload in base64. */
function rawLine(frame: JournalFrame, content?: FrameContent): object {
  const { epochNumber, epochId, sequence, index, time, type, schema, payload } = frame;
  return {
    epochNumber,
    epochId,
    sequence: Number(sequence),
    index,
    time: filetimeText(time),
    type: type === frameTypes.gap ? "gap" : "event",
    schema,
    ...(content === undefined
      ? { payload: payload.toString("base64") }
      : { record: plain("gap" in content ? content.gap : content.record) }),
  };
}

/** A value for JSON: maps as objects, bytes as `{ base64 }`, integers beyond 2^53 as strings. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (Buffer.isBuffer(value)) return { base64: value.toString("base64") };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return Object.fromEntries(entries.map(([key, inner]) => [key, plain(inner)]));
}
