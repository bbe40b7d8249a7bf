/** Something that nobody but a person who changed the evidence, or a fault in Certwire, can have made. */
export interface Finding {
  /**
   * `link`: the record before is not the one that was before it; `start`: the first record of an epoch is not the first
   * one; `double`: two events with one id say different things; `unchained`: an event without its hashes;
   * `index`: the last part of the event's id is none that its kind has; `together`:
   * two epochs of a CA ran at the same time, so they are of two journals; `content`: an event does not say what its
   * record says; `missing`: a record of the journal without an event; `unknown`: an event without a record in the journal;
   * `journal`: a record of the journal is not as the exit module wrote it, or the journal is damaged.
   */
  readonly kind:
    | "link"
    | "start"
    | "double"
    | "unchained"
    | "index"
    | "together"
    | "content"
    | "missing"
    | "unknown"
    | "journal";
  readonly epochNumber: number;
  /** Empty if it is not known. */
  readonly epochId: string;
  readonly sequence: number;
  /** Last record of a range; absent: one record only. */
  readonly to?: number;
  /** Where the event stands, such as `certificates/0@17` or `events.ndjson:4`; absent for a record of the journal. */
  readonly place?: string;
  /** For people. */
  readonly detail: string;
}

/** Most findings that are kept. */
const maxListed = 10_000;

/** The findings of a verification. */
export class Findings {
  readonly #listed: Finding[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(finding: Finding): void {
    this.#count += 1;
    if (this.#listed.length < maxListed) this.#listed.push(finding);
  }

  /** In the order of the journal, the first 10,000 that were found. */
  list(): Finding[] {
    return this.#listed.toSorted(
      (a, b) =>
        a.epochNumber - b.epochNumber ||
        compareTexts(a.epochId, b.epochId) ||
        a.sequence - b.sequence,
    );
  }
}

/** Sorts texts by their code units. */
export function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
