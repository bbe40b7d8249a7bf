/** Length of the samples in which Kafka counts the bytes of a client, in ms. */
const sampleMs = 1000;

/** What a broker has had of a client, as Kafka counts it for the quota of bytes in a second. */
export class CountedBytes {
  readonly #samples: number;
  #kept: { readonly since: number; bytes: number }[] = [];

  /** `samples`: how many are counted together, `quota.window.num` of Kafka. */
  constructor(samples: number) {
    this.#samples = samples;
  }

  /**
   * Counts a request. Returns for how long the broker reads nothing more of its connection, in ms: until the bytes of all
   * samples together are at most `bytesPerSecond`.
   */
  count(bytes: number, bytesPerSecond: number, now: number): number {
    this.#kept = this.#kept.filter(({ since }) => now - since < this.#samples * sampleMs);
    let newest = this.#kept.at(-1);
    if (newest === undefined || now - newest.since >= sampleMs) {
      newest = { since: now, bytes: 0 };
      this.#kept.push(newest);
    }
    newest.bytes += bytes;
    const countedMs = now - (this.#kept[0]?.since ?? now);
    // What is missing of the samples counts as time in which nothing came.
    const missing = Math.max(0, this.#samples - 1 - Math.floor(countedMs / sampleMs));
    const sum = this.#kept.reduce((all, each) => all + each.bytes, 0);
    return Math.max(0, (sum / bytesPerSecond) * 1000 - countedMs - missing * sampleMs);
  }
}

/** A producer's connection to a broker, and until when it is throttled, in ms of virtual time. */
export interface KafkaConnection {
  /** The broker reads nothing until then. */
  mutedUntil: number;
  /** The client sends nothing until then: it learns of it with the answer. */
  heldUntil: number;
}
