/** All whole numbers from the first to the last, both included. */
export type Range = readonly [from: number, to: number];

/** A set of whole numbers as ranges: its memory grows with the holes in it, not with the numbers. */
export class Ranges {
  /** Ascending; between two of them at least one number is missing. */
  readonly #ranges: [from: number, to: number][] = [];

  /** Throws a TypeError unless the ranges are ascending and apart. */
  constructor(ranges: readonly Range[] = []) {
    for (const [from, to] of ranges) {
      const isNext = from > (this.last ?? -1) && to >= from;
      if (!isNext || !Number.isSafeInteger(from) || !Number.isSafeInteger(to)) {
        throw new TypeError("ranges must be ascending");
      }
      this.add(from, to);
    }
  }

  /** How many ranges there are. */
  get size(): number {
    return this.#ranges.length;
  }

  get first(): number | undefined {
    return this.#ranges[0]?.[0];
  }

  get last(): number | undefined {
    return this.#ranges.at(-1)?.[1];
  }

  has(number: number): boolean {
    const range = this.#ranges[this.#indexOf(number)];
    return range !== undefined && range[0] <= number;
  }

  /** The highest number of the set that is lower than another one. */
  below(number: number): number | undefined {
    const at = this.#indexOf(number);
    const range = this.#ranges[at];
    return range !== undefined && range[0] < number ? number - 1 : this.#ranges[at - 1]?.[1];
  }

  /** Adds all numbers of a range. */
  add(from: number, to = from): void {
    // What overlaps or touches the new range becomes part of it.
    const start = this.#indexOf(from - 1);
    let end = start;
    let [first, last] = [from, to];
    for (let next = this.#ranges[end]; next !== undefined && next[0] <= to + 1; ) {
      first = Math.min(first, next[0]);
      last = Math.max(last, next[1]);
      end += 1;
      next = this.#ranges[end];
    }
    this.#ranges.splice(start, end - start, [first, last]);
  }

  toJSON(): Range[] {
    return this.#ranges.map(([from, to]) => [from, to]);
  }

  /** Index of the first range that does not end before a number. */
  #indexOf(number: number): number {
    // Nearly every number is the next one.
    if (number >= (this.#ranges.at(-1)?.[0] ?? 0)) {
      return this.#ranges.length - (number <= (this.last ?? -1) ? 1 : 0);
    }
    let [low, high] = [0, this.#ranges.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranges[middle]?.[1] ?? 0) < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
