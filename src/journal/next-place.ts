import type { NativeSegment } from "../native/addon.ts";
import type { JournalPosition } from "./position.ts";
import { compareSegments, startOf } from "./segments.ts";
import { WholeJournal } from "./whole-journal.ts";

/**
 * The start of the segment with the next record, if that is a later segment than the position's: the range
 * between has no records for a reader at the position. Otherwise `null`. `segments` are those of the
 * directory. Rejects with CERTWIRE_JOURNAL_UNREADABLE.
 */
export async function nextPlace(
  directory: string,
  segments: readonly NativeSegment[],
  position: JournalPosition,
): Promise<JournalPosition | null> {
  const newest = segments.toSorted(compareSegments).at(-1);
  if (newest === undefined || isInSegment(position, newest)) return null;
  const journal = new WholeJournal(directory, position);
  try {
    for await (const [next] of journal.chunks(new AbortController().signal)) {
      // A gap that the reader itself finds, such as an epoch without a seal, is found only from the old place.
      if (next === undefined || next.index !== 0 || isInSegment(next.position, position)) break;
      const segment = segments.find((each) => isInSegment(next.position, each));
      return segment === undefined ? null : startOf(segment);
    }
    return null;
  } finally {
    journal.close();
  }
}

type Place = Pick<JournalPosition, "epochId" | "segment">;

function isInSegment(a: Place, b: Place): boolean {
  return a.epochId === b.epochId && a.segment === b.segment;
}
