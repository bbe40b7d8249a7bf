import type { Frame } from "../journal/frame.ts";

/** What identifies a frame, and where it stands in the journal. */
export type FramePlace = Pick<Frame, "epochNumber" | "epochId" | "sequence">;

/** What a frame said about its CA. */
export interface SeenCa {
  /** The CA id that the events of the frame have. */
  readonly id: string;
  /** SHA-256 of the CA's current certificate, lower-case hex; absent while it is not known. */
  readonly certificate?: string;
}

/** A frame from which something else holds than before. */
export interface CaMemoryEntry extends FramePlace, SeenCa {}

/**
 * Remembers which CA each frame was of, by the frames from which that changed, so that reading a frame again says
 * the same. Its owner stores the entries.
 */
export class CaMemory {
  /** In the order of the journal. */
  readonly #entries: CaMemoryEntry[] = [];
  readonly #kept: (entry: CaMemoryEntry) => void;

  /** `kept` is called with each new entry; default nothing. */
  constructor(
    stored: Iterable<CaMemoryEntry> = [],
    kept: (entry: CaMemoryEntry) => void = () => undefined,
  ) {
    for (const entry of stored) this.#insert(entry);
    this.#kept = kept;
  }

  /** What holds for a frame: kept for it, or for an earlier one of its epoch. */
  seenAt(frame: FramePlace): SeenCa | undefined {
    const entry = this.#entries[this.#countBefore(frame, true) - 1];
    return entry?.epochId === frame.epochId ? entry : undefined;
  }

  /** The CA whose certificate was the last one seen before a frame, in whatever epoch. */
  seenBefore(frame: FramePlace): SeenCa | undefined {
    for (let at = this.#countBefore(frame, false) - 1; at >= 0; at -= 1) {
      const entry = this.#entries[at];
      if (entry?.certificate !== undefined) return entry;
    }
    return undefined;
  }

  /** Keeps what holds for a frame and the later ones of its epoch. Never throws. */
  keep({ epochNumber, epochId, sequence }: FramePlace, seen: SeenCa): void {
    const entry = { epochNumber, epochId, sequence, ...seen };
    this.#insert(entry);
    this.#kept(entry);
  }

  #insert(entry: CaMemoryEntry): void {
    this.#entries.splice(this.#countBefore(entry, true), 0, entry);
  }

  /** The number of entries before a frame, or up to it. */
  #countBefore(frame: FramePlace, isIncluded: boolean): number {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = compare(this.#entries[middle] ?? frame, frame);
      if (order < 0 || (order === 0 && isIncluded)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The order in which the journal is read. */
function compare(a: FramePlace, b: FramePlace): number {
  if (a.epochNumber !== b.epochNumber) return a.epochNumber - b.epochNumber;
  if (a.epochId !== b.epochId) return a.epochId < b.epochId ? -1 : 1;
  return a.sequence < b.sequence ? -1 : Number(a.sequence > b.sequence);
}
