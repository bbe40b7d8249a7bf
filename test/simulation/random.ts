/** A reproducible stream of random numbers (mulberry32): fast, since a simulation draws millions. */
export class Random {
  #state: number;

  /** The same seed gives the same stream. */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number from 0, inclusive, to 1, exclusive. */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let word = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  /** True in this share of the calls. */
  chance(share: number): boolean {
    return this.fraction() < share;
  }

  /** `digits` digits in hex. */
  hex(digits: number): string {
    return Array.from({ length: digits }, () => this.below(16).toString(16)).join("");
  }
}
