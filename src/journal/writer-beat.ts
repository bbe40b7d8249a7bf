import { CertwireError } from "../errors/certwire-error.ts";
import { loadNative } from "../native/addon.ts";

/** Conditions of the exit module by their numbers in the journal format. */
const conditions = ["ok", "no-space", "io-error", "hangs", "dropping"] as const;

/** How the exit module is; `unknown` if a later version of it says something that this one does not know. */
export const writerConditions = [...conditions, "unknown"] as const;

/** A member of `writerConditions`. */
export type WriterCondition = (typeof writerConditions)[number];

/** A sign of life of the exit module. It gives one every 10 s, and at once when it gets into trouble. */
export interface WriterBeat {
  /** In ms since 1970, by the clock of its machine. */
  readonly timeMs: number;
  readonly condition: WriterCondition;
  /** System error of the operation that fails; absent if none does, or it has none. */
  readonly osError?: number;
  /** Records dropped since the exit module started. */
  readonly droppedRecords: number;
  /** Memory of records that are not written yet, in bytes. */
  readonly waitingBytes: number;
}

/**
 * The newest sign of life of a journal's exit module; `undefined` if it has left none. Rejects with
 * CERTWIRE_JOURNAL_UNREADABLE.
 */
export async function readWriterBeat(directory: string): Promise<WriterBeat | undefined> {
  const found = await loadNative()
    .readWriterBeat(directory)
    .catch((cause: unknown) => {
      const message = `cannot read writer.lock in ${directory}`;
      throw new CertwireError("CERTWIRE_JOURNAL_UNREADABLE", message, { cause });
    });
  if (found === null) return undefined;
  const { timeMs, condition, osError, dropped, waitingBytes } = found;
  return {
    timeMs,
    condition: conditions[condition] ?? "unknown",
    ...(osError !== 0 && { osError }),
    droppedRecords: dropped,
    waitingBytes,
  };
}
