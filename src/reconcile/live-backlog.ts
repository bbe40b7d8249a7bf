import type { JournalPosition } from "../journal/position.ts";
import { listSegments, startOf } from "../journal/segments.ts";
import { readJournalEnd } from "../journal-tools/journal-end.ts";
import { readCheckpoint } from "../state/checkpoint-store.ts";

/** Tells whether a sink of the service has still to publish live events, by its checkpoint. */
export class LiveBacklog {
  readonly #journal: string;
  readonly #checkpoint: string;
  #end: JournalPosition | undefined;

  /** `journal`: directory; `checkpoint`: path of the sink's checkpoint. */
  constructor(journal: string, checkpoint: string) {
    this.#journal = journal;
    this.#checkpoint = checkpoint;
  }

  /** Rejects with CERTWIRE_JOURNAL_UNREADABLE or CERTWIRE_CHECKPOINT_FAILED. */
  async isBehind(): Promise<boolean> {
    const segments = await listSegments(this.#journal);
    const newest = segments.at(-1);
    if (newest === undefined) return false;
    const { last } = await readJournalEnd(this.#journal, segments, this.#end);
    const isKnown = this.#end?.epochId === newest.epochId;
    this.#end = last?.position ?? (isKnown ? this.#end : startOf(newest));
    const end = this.#end;
    const { position } = await readCheckpoint(this.#checkpoint);
    if (end === undefined || end.sequence === 0n) return false;
    return position?.epochId !== end.epochId || position.sequence < end.sequence;
  }
}
