import { CertwireError } from "../errors/certwire-error.ts";
import type { EventOptions } from "../exit/envelope.ts";
import type { CertwireEvent } from "../exit/event.ts";
import { createEventContext, type EventContext, eventsOfFrame } from "../exit/events-of-frame.ts";
import type { JournalFrame } from "../journal/frame.ts";
import { WholeJournal } from "../journal/whole-journal.ts";

/** Told about each record that could not be decoded. */
export type Undecodable = (error: unknown) => void;

/**
 * The events of a journal from its oldest record to its present end, marked as replayed. Reads only;
 * the service may go on working with the same journal. Rejects with a CertwireError.
 */
export async function* eventsOfJournal(
  directory: string,
  options: EventOptions,
  undecodable: Undecodable,
  signal: AbortSignal,
): AsyncGenerator<CertwireEvent> {
  const context = createEventContext({ ...options, replayed: true });
  const journal = new WholeJournal(directory);
  try {
    for await (const frames of journal.chunks(signal)) {
      for (const frame of frames) yield* decode(frame, context, undecodable);
    }
  } finally {
    journal.close();
  }
}

function decode(frame: JournalFrame, context: EventContext, undecodable: Undecodable) {
  try {
    return eventsOfFrame(frame, context);
  } catch (error) {
    if (!(error instanceof CertwireError)) throw error;
    undecodable(error);
    return [];
  }
}
