import type { DeduplicationStore, EventIdentity } from "./store.ts";

/**
 * Remembers the events that this process handled last. It prevents doubled effects after a lost connection or a
 * rebalance, not after a restart: for that use `PostgresDeduplication`.
 */
export class MemoryDeduplication implements DeduplicationStore {
  readonly #handled: RecentKeys;
  /** Content ids of the same events. */
  readonly #contents: RecentKeys;

  /** `size`: events remembered. Default 100 000, about 30 MB. */
  constructor({ size = 100_000 }: { readonly size?: number } = {}) {
    this.#handled = new RecentKeys(size);
    this.#contents = new RecentKeys(size);
  }

  /** Runs the effect unless the event, or what the CA's database says of it, is among those remembered. */
  async once(
    { source, id, origin, contentid }: EventIdentity,
    effect: (transaction: undefined) => Promise<void>,
  ): Promise<boolean> {
    const key = `${source} ${id}`;
    const content = contentid === undefined ? undefined : `${source} ${contentid}`;
    const isSeen = origin === "database" && content !== undefined && this.#contents.has(content);
    const isNew = !isSeen && !this.#handled.has(key);
    if (isNew) await effect(undefined);
    this.#handled.add(key);
    if (content !== undefined) this.#contents.add(content);
    return isNew;
  }
}

/** The keys that were used last. */
class RecentKeys {
  readonly #size: number;
  /** In the order of use, the oldest first. */
  readonly #keys = new Set<string>();

  constructor(size: number) {
    this.#size = size;
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  /** Makes a key the one that was used last. */
  add(key: string): void {
    this.#keys.delete(key);
    this.#keys.add(key);
    if (this.#keys.size <= this.#size) return;
    const [oldest] = this.#keys;
    if (oldest !== undefined) this.#keys.delete(oldest);
  }
}
