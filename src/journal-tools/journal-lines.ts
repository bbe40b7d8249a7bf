import { CertwireError } from "../errors/certwire-error.ts";
import { decodeGap } from "../exit/decode-gap.ts";
import { decodeRecord } from "../exit/decode-record.ts";
import type { CertwireEvent } from "../events/event.ts";
import { type EventContext, eventsOfFrame } from "../sources/events-of-frame.ts";
import { frameTypes, type JournalFrame } from "../journal/frame.ts";
import { filetimeText } from "../events/times.ts";
import type { WholeJournal } from "../journal/whole-journal.ts";
import { isSelected, type Selection } from "../events/selection.ts";

/** What is taken out of a journal, and how. */
export interface LineOptions {
  readonly context: EventContext;
  readonly selection: Selection;
  /** Records as the exit module wrote them instead of events. */
  readonly isRaw: boolean;
  /** Told about each record that cannot be decoded. */
  readonly undecodable: (error: CertwireError) => void;
}

/** Some lines of NDJSON, and the frame behind which they end. */
export interface JournalLines {
  readonly lines: readonly string[];
  readonly last: JournalFrame;
}

/** The selected events or records of a journal, in its order. Rejects with a CertwireError. */
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

function linesOfFrame(frame: JournalFrame, options: LineOptions): string[] {
  const events = decode(frame, options);
  const selected = events?.filter((event) => isSelected(event, options.selection));
  if (!options.isRaw) return (selected ?? []).map((event) => JSON.stringify(event));
  // A record that cannot be decoded is what somebody who looks at records is looking for.
  return selected?.length === 0 ? [] : [JSON.stringify(rawLine(frame, events !== undefined))];
}

function decode(
  frame: JournalFrame,
  { context, undecodable }: LineOptions,
): CertwireEvent[] | undefined {
  try {
    return eventsOfFrame(frame, context);
  } catch (error) {
    if (!(error instanceof CertwireError)) throw error;
    undecodable(error);
    return undefined;
  }
}

function rawLine(frame: JournalFrame, isDecodable: boolean): object {
  const { epochNumber, epochId, sequence, index, time, type, schema, payload } = frame;
  const content = { payload: payload.toString("base64") };
  return {
    epochNumber,
    epochId,
    sequence: Number(sequence),
    index,
    time: filetimeText(time),
    type: type === frameTypes.gap ? "gap" : "event",
    schema,
    ...(isDecodable ? { record: plain(decoded(frame)) } : content),
  };
}

function decoded({ type, payload }: JournalFrame): unknown {
  return type === frameTypes.gap ? decodeGap(payload) : decodeRecord(payload);
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
