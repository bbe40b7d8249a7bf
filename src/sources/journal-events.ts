import { CertwireError } from "../errors/certwire-error.ts";
import type { CaIdMemory } from "../state/ca-id-memory.ts";
import type { EventOptions } from "../events/envelope.ts";
import type { CertwireEvent } from "../events/event.ts";
import { type EventContext, eventsOfFrame } from "./events-of-frame.ts";
import { openJournalContext } from "./journal-context.ts";
import type { JournalFrame } from "../journal/frame.ts";
import { WholeJournal } from "../journal/whole-journal.ts";

/** How a journal is replayed. */
export interface JournalEventOptions {
  readonly events: EventOptions;
  /** Which CA the service took its records for. */
  readonly caIds: CaIdMemory;
  /** Told about each record that could not be decoded. */
  readonly undecodable: (error: unknown) => void;
}

/**
 * The events of a journal from its oldest record to its present end, marked as replayed. Reads only;
 * the service may go on working with the same journal. Rejects with a CertwireError.
 */
export async function* eventsOfJournal(
  directory: string,
  { events, caIds, undecodable }: JournalEventOptions,
  signal: AbortSignal,
): AsyncGenerator<CertwireEvent> {
  const context = await openJournalContext(directory, { ...events, replayed: true }, caIds);
  const journal = new WholeJournal(directory);
  try {
    for await (const frames of journal.chunks(signal)) {
      for (const frame of frames) yield* decode(frame, context, undecodable);
    }
  } finally {
    journal.close();
  }
}

function decode(
  frame: JournalFrame,
  context: EventContext,
  undecodable: JournalEventOptions["undecodable"],
): CertwireEvent[] {
  try {
    return eventsOfFrame(frame, context);
  } catch (error) {
    if (!(error instanceof CertwireError)) throw error;
    undecodable(error);
    return [];
  }
}
