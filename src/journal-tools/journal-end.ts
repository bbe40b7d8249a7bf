import { unixMsOf } from "../events/times.ts";
import { exitEvents } from "../exit/ca-codes.ts";
import { decodeGap } from "../exit/decode-gap.ts";
import { decodeRecord } from "../exit/decode-record.ts";
import { frameTypes, type JournalFrame } from "../journal/frame.ts";
import type { JournalPosition } from "../journal/position.ts";
import { startOf } from "../journal/segments.ts";
import { WholeJournal } from "../journal/whole-journal.ts";
import type { NativeSegment, NativeWriterTimes } from "../native/addon.ts";

/** What the end of a journal says. */
export interface JournalEnd {
  /** The newest record; absent if the newest segment has none. */
  readonly last?: JournalFrame;
  /** Durations in the writer's process, as recorded in the frames that were read. */
  readonly times?: NativeWriterTimes;
  /** When the newest gap that stands for a loss was recorded, in ms since 1970, among the frames that were read. */
  readonly gapMs?: number;
}

/**
 * Reads the newest segment, or what follows a place in it. `segments` are those of the directory. Rejects with
 * CERTWIRE_JOURNAL_UNREADABLE.
 */
export async function readJournalEnd(
  directory: string,
  segments: readonly NativeSegment[],
  from?: JournalPosition,
): Promise<JournalEnd> {
  const newest = segments.at(-1);
  if (newest === undefined) return {};
  const isThere = from?.epochId === newest.epochId && from.segment === newest.segment;
  const journal = new WholeJournal(directory, isThere ? from : startOf(newest));
  let last: JournalFrame | undefined;
  let gapMs: number | undefined;
  try {
    for await (const frames of journal.chunks(new AbortController().signal)) {
      last = frames.at(-1) ?? last;
      const gap = frames.findLast(isLoss);
      if (gap !== undefined) gapMs = unixMsOf(gap.time);
    }
    return {
      ...(last && { last }),
      times: journal.writerTimes(),
      ...(gapMs !== undefined && { gapMs }),
    };
  } finally {
    journal.close();
  }
}

/**
 * When the oldest record was made that is written and that nothing says is flushed, in ms since 1970; `undefined` if there
 * is none in the newest segment. `segments` are those of the directory. Rejects with CERTWIRE_JOURNAL_UNREADABLE.
 */
export async function unflushedSince(
  directory: string,
  segments: readonly NativeSegment[],
): Promise<number | undefined> {
  const newest = segments.at(-1);
  if (newest === undefined) return undefined;
  let position = startOf(newest);
  for await (const frames of chunksOf(new WholeJournal(directory, position, "durable"))) {
    position = frames.at(-1)?.position ?? position;
  }
  for await (const [first] of chunksOf(new WholeJournal(directory, position))) {
    if (first !== undefined) return unixMsOf(first.time);
  }
  return undefined;
}

async function* chunksOf(journal: WholeJournal): AsyncGenerator<JournalFrame[]> {
  try {
    yield* journal.chunks(new AbortController().signal);
  } finally {
    journal.close();
  }
}

/** True for a gap that is more than an unclean stop. */
function isLoss({ type, payload }: JournalFrame): boolean {
  if (type !== frameTypes.gap) return false;
  try {
    return decodeGap(payload).reason !== "unclean-stop";
  } catch {
    return true;
  }
}

/** True if a frame says that the CA stopped. */
export function isCaStop({ type, payload }: JournalFrame): boolean {
  if (type !== frameTypes.event) return false;
  try {
    return decodeRecord(payload).event === exitEvents.shutdown;
  } catch {
    return false;
  }
}
