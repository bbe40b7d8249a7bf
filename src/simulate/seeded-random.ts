import { createHash } from "node:crypto";

/** A reproducible stream of random values: SHA-256 over the seed and a counter. */
export class SeededRandom {
  readonly #seed: string;
  #counter = 0;
  #block: Buffer = Buffer.alloc(0);

  /** The same seed gives the same stream. */
  constructor(seed: string | number) {
    this.#seed = String(seed);
  }

  /** An independent stream: it depends only on this seed and `label`, not on what was drawn before. */
  branch(label: string): SeededRandom {
    return new SeededRandom(`${this.#seed}/${label}`);
  }

  /** The next `count` bytes. */
  bytes(count: number): Buffer {
    while (this.#block.length < count) {
      const next = createHash("sha256").update(`${this.#seed}:${this.#counter}`).digest();
      this.#counter += 1;
      this.#block = Buffer.concat([this.#block, next]);
    }
    const bytes = Buffer.from(this.#block.subarray(0, count));
    this.#block = this.#block.subarray(count);
    return bytes;
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    return this.bytes(6).readUIntBE(0, 6) % limit;
  }

  /** A number from 0 (included) to 1 (excluded). */
  fraction(): number {
    return this.bytes(6).readUIntBE(0, 6) / 2 ** 48;
  }

  /** One of `items`. */
  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError("nothing to pick from");
    return item;
  }

  /** A number from 1 to `limit` - 1. */
  bigintBelow(limit: bigint): bigint {
    const bytes = this.bytes(Math.ceil(limit.toString(16).length / 2) + 8);
    return (BigInt(`0x${bytes.toString("hex")}`) % (limit - 1n)) + 1n;
  }
}
