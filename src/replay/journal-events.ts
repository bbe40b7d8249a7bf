import { access } from "node:fs/promises";
import { CertwireError } from "../errors/certwire-error.ts";
import type { EventOptions } from "../exit/envelope.ts";
import type { CertwireEvent } from "../exit/event.ts";
import { createEventContext, type EventContext, eventsOfFrame } from "../exit/events-of-frame.ts";
import type { JournalFrame } from "../journal/frame.ts";
import { JournalReader } from "../journal/journal-reader.ts";
import { loadNative } from "../journal/native.ts";

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
  await access(directory).catch((cause: unknown) => {
    throw new CertwireError("CERTWIRE_JOURNAL_UNREADABLE", `cannot read ${directory}`, { cause });
  });
  const context = createEventContext({ ...options, replayed: true });
  const { reader, ended } = readerToTheEnd(directory);
  const stop = AbortSignal.any([signal, ended]);
  try {
    for (let chunk = await reader.next(stop); chunk; chunk = await reader.next(stop)) {
      for (const frame of chunk.frames) yield* decode(frame, context, undecodable);
    }
  } finally {
    reader.close();
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

/** A reader that stops at the first look which finds nothing new. */
function readerToTheEnd(directory: string): { reader: JournalReader; ended: AbortSignal } {
  const end = new AbortController();
  const reader = new JournalReader({ directory, mode: "committed", position: null }, (options) => {
    const native = new (loadNative().JournalReader)(options);
    return {
      stats: () => native.stats(),
      close: () => native.close(),
      read: async () => {
        const batch = await native.read();
        if (batch === null) end.abort();
        return batch;
      },
    };
  });
  return { reader, ended: end.signal };
}
