/** Limits of what is kept. A CA has some dozens of different values of each sort. */
const maxEntries = 256;
const maxKeyLength = 1024;
const maxTotalLength = 64 * 1024;

/** How often a value was found, over all `RepeatedValues`. */
const counts = { found: 0, missed: 0 };

/** The counts so far, for benchmarks. */
export function repetitionCounts(): { readonly found: number; readonly missed: number } {
  return { ...counts };
}

/** A value that nobody can change from then on, nor what is in it. */
export function deepFrozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFrozen(inner);
  return Object.freeze(value);
}

/**
 * Values by what they were made of, since most of an event is as in the events before it. The key is the whole input, so
 * that what is found is what would be made again; values are shared, so they are frozen. Whoever writes the input
 * may fill it with values that never come again: two halves limit the memory, and what was used since the last change of
 * halves stays. An owner keeps no secrets in it.
 */
export class RepeatedValues<T> {
  #recent = new Map<string, T>();
  #older = new Map<string, T>();
  #recentLength = 0;

  /** The value that was kept for a key. */
  get(key: string): T | undefined {
    let value = this.#recent.get(key);
    if (value === undefined) {
      value = this.#older.get(key);
      if (value !== undefined) this.keep(key, value);
    }
    if (value === undefined) counts.missed += 1;
    else counts.found += 1;
    return value;
  }

  /** Keeps and freezes a value, unless its key is longer than 1,024 characters. */
  keep(key: string, value: T): void {
    if (key.length > maxKeyLength) return;
    if (this.#recent.size >= maxEntries || this.#recentLength >= maxTotalLength) {
      this.#older = this.#recent;
      this.#recent = new Map();
      this.#recentLength = 0;
    }
    this.#recent.set(key, deepFrozen(value));
    this.#recentLength += key.length;
  }
}
