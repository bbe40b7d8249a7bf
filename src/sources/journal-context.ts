import { CertwireError } from "../errors/certwire-error.ts";
import { CaIdentity, ownCaId } from "../events/ca-identity.ts";
import type { CaMemory } from "../events/ca-memory.ts";
import type { EventOptions } from "../events/envelope.ts";
import type { Frame } from "../journal/frame.ts";
import type { JournalPosition } from "../journal/position.ts";
import { listSegments, startOf } from "../journal/segments.ts";
import { WholeJournal } from "../journal/whole-journal.ts";
import { decodeContent, type EventContext } from "./decode-frame.ts";

/** Maximum frames searched for the certificate of the CA; nearly every record has it. */
const lookAheadFrames = 10_000;

/**
 * The context for reading a journal from a position (`null`: its oldest frame). If the first frames lack the
 * CA's certificate, they get their CA id from `memory`, or from the rest of the epoch, which is searched here.
 */
export async function openJournalContext(
  directory: string,
  options: EventOptions,
  memory: CaMemory,
  position: JournalPosition | null = null,
): Promise<EventContext> {
  return { options, identity: new CaIdentity(memory, await findCaId(directory, position)) };
}

async function findCaId(
  directory: string,
  position: JournalPosition | null,
): Promise<string | undefined> {
  try {
    const segments = position === null ? [] : await listSegments(directory);
    const first = segments.find(({ epochId }) => epochId === position?.epochId);
    return await firstCaId(new WholeJournal(directory, first ? startOf(first) : null));
  } catch (error) {
    // The reader of the journal will report that it cannot be read.
    if (error instanceof CertwireError) return undefined;
    throw error;
  }
}

async function firstCaId(journal: WholeJournal): Promise<string | undefined> {
  let left = lookAheadFrames;
  try {
    for await (const frames of journal.chunks(new AbortController().signal)) {
      for (const frame of frames) {
        const id = caIdOf(frame);
        left -= 1;
        if (id !== undefined || left === 0) return id;
      }
    }
    return undefined;
  } finally {
    journal.close();
  }
}

function caIdOf(frame: Frame): string | undefined {
  const content = decodeContent(frame);
  return "record" in content ? ownCaId(content.record) : undefined;
}
