import type { DeduplicationStore, EventIdentity } from "./store.ts";

/**
 * Remembers the events that this process handled last. It prevents doubled effects after a lost connection or a
 * rebalance, not after a restart: for that use `PostgresDeduplication`.
 */
export class MemoryDeduplication implements DeduplicationStore {
  readonly #size: number;
  /** In the order of use, the oldest first. */
  readonly #handled = new Set<string>();

  /** `size`: events remembered. Default 100 000, about 20 MB. */
  constructor({ size = 100_000 }: { readonly size?: number } = {}) {
    this.#size = size;
  }

  /** Runs the effect unless the event is among those remembered. */
  async once({ source, id }: EventIdentity, effect: (transaction: undefined) => Promise<void>) {
    const key = `${source} ${id}`;
    const isKnown = this.#handled.delete(key);
    if (!isKnown) await effect(undefined);
    this.#handled.add(key);
    if (this.#handled.size > this.#size) {
      for (const oldest of this.#handled) {
        this.#handled.delete(oldest);
        break;
      }
    }
    return !isKnown;
  }
}
