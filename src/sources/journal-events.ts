import type { CertwireError } from "../errors/certwire-error.ts";
import type { CaMemory } from "../events/ca-memory.ts";
import type { EventOptions } from "../events/envelope.ts";
import type { CertwireEvent } from "../events/event.ts";
import { WholeJournal } from "../journal/whole-journal.ts";
import { decodeFrame } from "./decode-frame.ts";
import { openJournalContext } from "./journal-context.ts";

/** How a journal is replayed. */
export interface JournalEventOptions {
  readonly events: EventOptions;
  /** What the service remembers of the CA of each record. */
  readonly caMemory: CaMemory;
  /** Called with the error of each record that cannot be decoded. */
  readonly undecodable: (error: CertwireError) => void;
}

/**
 * The events of a journal from its oldest record to its current end, marked as replayed. Changes nothing, so
 * the service may use the same journal at the same time. Rejects with CERTWIRE_JOURNAL_UNREADABLE.
 */
export async function* eventsOfJournal(
  directory: string,
  { events, caMemory, undecodable }: JournalEventOptions,
  signal: AbortSignal,
): AsyncGenerator<CertwireEvent> {
  const context = await openJournalContext(directory, { ...events, replayed: true }, caMemory);
  const journal = new WholeJournal(directory);
  try {
    for await (const frames of journal.chunks(signal)) {
      for (const frame of frames) {
        const decoded = decodeFrame(frame, context);
        if ("undecodable" in decoded) leaveOut(decoded.undecodable, undecodable);
        else yield* decoded.events;
      }
    }
  } finally {
    journal.close();
  }
}

/** Only a record that cannot be read by this version may be left out. Throws any other error. */
function leaveOut(error: CertwireError, report: (error: CertwireError) => void): void {
  if (error.code === "CERTWIRE_RECORD_FAILED") throw error;
  report(error);
}
