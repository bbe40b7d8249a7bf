/** Encodings that are kept, and the longest of them in bytes. One CA has one; another one for each state of it. */
const maxKept = 4;
const maxBytes = 64 * 1024;

/** An encoded item of CBOR, and what it stands for. */
export interface KnownItem {
  readonly bytes: Buffer;
  /** Number of items in it, itself included. */
  readonly items: number;
  /**
   * What was made of `bytes`; `undefined` until they are seen again. Shared by all records that have it, so nobody may
   * change it.
   */
  value?: unknown;
}

/** The latest encodings of a member of a map that is the same in nearly every record. */
export class RepeatedMember {
  readonly key: string;
  readonly #kept: KnownItem[] = [];
  #next = 0;

  constructor(key: string) {
    this.key = key;
  }

  /** The known item whose bytes begin at `start`. */
  find(input: Buffer, start: number): KnownItem | undefined {
    return this.#kept.find(({ bytes }) => {
      const end = start + bytes.length;
      return end <= input.length && input.compare(bytes, 0, bytes.length, start, end) === 0;
    });
  }

  /** Keeps a copy of an item's bytes in the place of the oldest one. */
  keep(bytes: Buffer, items: number): void {
    if (bytes.length > maxBytes) return;
    this.#kept[this.#next] = { bytes: Buffer.from(bytes), items };
    this.#next = (this.#next + 1) % maxKept;
  }
}
