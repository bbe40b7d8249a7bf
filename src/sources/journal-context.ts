import { CertwireError } from "../errors/certwire-error.ts";
import type { CaIdMemory } from "../state/ca-id-memory.ts";
import { CaIdentity, ownCaId } from "../events/ca-identity.ts";
import { decodeRecord } from "../exit/decode-record.ts";
import type { EventOptions } from "../events/envelope.ts";
import type { EventContext } from "./events-of-frame.ts";
import { type Frame, frameTypes } from "../journal/frame.ts";
import type { JournalPosition } from "../journal/position.ts";
import { listSegments, startOf } from "../journal/segments.ts";
import { WholeJournal } from "../journal/whole-journal.ts";

/** Most frames that are looked through for the certificate of the CA; nearly every record has it. */
const lookAheadFrames = 10_000;

/**
 * Starts reading a journal at a position (`null`: its oldest frame). A frame without the CA's
 * certificate that comes first gets its CA from `memory`, or from the rest of its epoch.
 */
export async function openJournalContext(
  directory: string,
  options: EventOptions,
  memory: CaIdMemory,
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
    // Whoever reads the journal next tells that it cannot be read.
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

function caIdOf({ type, payload }: Frame): string | undefined {
  try {
    return type === frameTypes.event ? ownCaId(decodeRecord(payload)) : undefined;
  } catch (error) {
    if (error instanceof CertwireError) return undefined;
    throw error;
  }
}
