import { placeOf } from "../../consumer/completeness/place.ts";
import { readDeadLetters } from "../../sources/dead-letters.ts";
import { frameOf } from "../../state/dead-letter.ts";
import { openDeadLetters } from "../../state/dead-letter-files.ts";
import { stateLayout } from "../../state/layout.ts";

/**
 * The records of a service's dead letters, as `<epoch id>-<sequence>`; none without a state directory. Rejects with
 * CERTWIRE_EVENTS_UNREADABLE.
 */
export async function deadRecords(
  state: string | undefined,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const records = new Set<string>();
  if (state === undefined) return records;
  const files = await openDeadLetters(stateLayout(state).deadLetterDirectory);
  try {
    for await (const found of readDeadLetters(files, signal)) {
      if (!("letter" in found)) continue;
      const { event, record } = found.letter;
      const place = event === undefined ? frameOf(record) : placeOf(event);
      if (place !== undefined) records.add(`${place.epochId}-${place.sequence}`);
    }
  } finally {
    await Promise.all(files.map(({ handle }) => handle.close()));
  }
  return records;
}
