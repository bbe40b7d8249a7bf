import { clock } from "../clock.ts";
import { unixMsOf } from "../events/times.ts";
import { WholeJournal } from "../journal/whole-journal.ts";
import { readCheckpoint } from "../state/checkpoint-store.ts";

/** A sink saves its checkpoint every second, so the newest events always seem to wait, in ms. */
const usualMs = 5000;

/** Tells whether live events of a sink of the service wait longer than usual, by its checkpoint. */
export class LiveBacklog {
  readonly #journal: string;
  readonly #checkpoint: string;
  readonly #now: () => number;

  /** `journal`: directory; `checkpoint`: path of the sink's checkpoint; `now`: in ms since 1970. */
  constructor(journal: string, checkpoint: string, now = () => clock.time()) {
    this.#journal = journal;
    this.#checkpoint = checkpoint;
    this.#now = now;
  }

  /** Rejects with CERTWIRE_JOURNAL_UNREADABLE or CERTWIRE_CHECKPOINT_FAILED. */
  async isBehind(): Promise<boolean> {
    const { position } = await readCheckpoint(this.#checkpoint);
    const journal = new WholeJournal(this.#journal, position, "durable");
    try {
      for await (const [oldest] of journal.chunks(new AbortController().signal)) {
        if (oldest !== undefined) return this.#now() - unixMsOf(oldest.time) > usualMs;
      }
      return false;
    } finally {
      journal.close();
    }
  }
}
