import { type Range, Ranges } from "./ranges.ts";

/** Saved form of a set of numbers. */
export interface NumberSetState {
  /** Blocks that have all their numbers. */
  readonly full: readonly Range[];
  /** The others, with the places of their numbers: as ranges, or as bits in base64 if these are shorter. */
  readonly open: readonly (readonly [block: number, places: string | readonly Range[]])[];
}

/** Numbers in a block. */
const blockNumbers = 4096;
const wordBits = 32;
const blockBytes = blockNumbers / 8;
const fullWord = 0xffff_ffff;
/** Most ranges of a block that are saved as such. */
const maxSavedRanges = 40;

interface Block {
  readonly words: Uint32Array;
  /** How many bits are set. */
  count: number;
}

/**
 * A set of whole numbers, quick in any order: partitions of a topic are read at different speeds, so that a million
 * numbers may be missing for a while. Memory grows with the places of the holes: 0.5 KiB for each block of 4096 numbers
 * that lacks some.
 */
export class NumberSet {
  readonly #full: Ranges;
  readonly #open = new Map<number, Block>();

  /** Throws a TypeError if the state is not one. */
  constructor({ full, open }: NumberSetState = { full: [], open: [] }) {
    this.#full = new Ranges(full);
    for (const [at, places] of open) {
      const isPlace = Number.isSafeInteger(at) && at >= 0 && !this.#full.has(at);
      if (!isPlace || this.#open.has(at)) throw new TypeError("a block of numbers is there twice");
      this.#open.set(at, blockOf(places));
    }
  }

  /** How many blocks lack some of their numbers. */
  get openBlocks(): number {
    return this.#open.size;
  }

  get first(): number | undefined {
    for (const [from] of this.ranges()) return from;
    return undefined;
  }

  get last(): number | undefined {
    const full = this.#full.last ?? -1;
    let open = -1;
    for (const at of this.#open.keys()) open = Math.max(open, at);
    if (full > open) return full * blockNumbers + blockNumbers - 1;
    const runs = [...runsOf(this.#open.get(open)?.words ?? new Uint32Array())];
    const [, last] = runs.at(-1) ?? [];
    return last === undefined ? undefined : open * blockNumbers + last;
  }

  has(number: number): boolean {
    const [at, word, bit] = placeOf(number);
    const words = this.#open.get(at)?.words;
    return words === undefined ? this.#full.has(at) : ((words[word] ?? 0) & bit) !== 0;
  }

  /** Adds a number; false if it is there already. */
  add(number: number): boolean {
    const [at, word, bit] = placeOf(number);
    if (this.#full.has(at)) return false;
    const block = this.#open.get(at) ?? { words: new Uint32Array(blockBytes / 4), count: 0 };
    const before = block.words[word] ?? 0;
    if ((before & bit) !== 0) return false;
    block.words[word] = before | bit;
    block.count += 1;
    if (block.count < blockNumbers) {
      this.#open.set(at, block);
    } else {
      this.#open.delete(at);
      this.#full.add(at);
    }
    return true;
  }

  /** All numbers as ascending ranges, between which at least one number is missing. */
  *ranges(): Generator<Range> {
    let pending: [number, number] | undefined;
    for (const [from, to] of this.#pieces()) {
      if (pending !== undefined && from === pending[1] + 1) {
        pending[1] = to;
        continue;
      }
      if (pending !== undefined) yield pending;
      pending = [from, to];
    }
    if (pending !== undefined) yield pending;
  }

  /** What is missing between two numbers, both included; ascending. */
  *missing(from: number, to: number): Generator<Range> {
    let next = from;
    for (const [first, last] of this.ranges()) {
      if (first > to) break;
      if (first > next) yield [next, first - 1];
      next = Math.max(next, last + 1);
    }
    if (next <= to) yield [next, to];
  }

  toJSON(): NumberSetState {
    const open = [...this.#open].map(([at, { words }]) => {
      const ranges = [...runsOf(words)];
      const isShort = ranges.length <= maxSavedRanges;
      return [at, isShort ? ranges : Buffer.from(words.buffer).toString("base64")] as const;
    });
    return { full: this.#full.toJSON(), open };
  }

  /** Ascending ranges that may touch. */
  *#pieces(): Generator<Range> {
    const open = [...this.#open].map(([at, { words }]) => ({ from: at, to: at, words }));
    const full = this.#full.toJSON().map(([from, to]) => ({ from, to, words: undefined }));
    for (const { from, to, words } of [...open, ...full].toSorted((a, b) => a.from - b.from)) {
      const start = from * blockNumbers;
      if (words === undefined) {
        yield [start, (to + 1) * blockNumbers - 1];
      } else {
        for (const [first, last] of runsOf(words)) yield [start + first, start + last];
      }
    }
  }
}

/** Throws a TypeError unless it has some of its numbers, and not all. */
function blockOf(places: string | readonly Range[]): Block {
  const words = typeof places === "string" ? wordsOfBits(places) : wordsOfRanges(places);
  const count = words.reduce((sum, word) => sum + bitsIn(word), 0);
  if (count === 0 || count === blockNumbers) throw new TypeError("a block is not open");
  return { words, count };
}

function wordsOfBits(bits: string): Uint32Array {
  const bytes = new Uint8Array(Buffer.from(bits, "base64"));
  if (bytes.length !== blockBytes) throw new TypeError("a block of numbers is damaged");
  return new Uint32Array(bytes.buffer);
}

function wordsOfRanges(places: readonly Range[]): Uint32Array {
  const words = new Uint32Array(blockBytes / 4);
  const ranges = new Ranges(places);
  if ((ranges.last ?? 0) >= blockNumbers) throw new TypeError("a block of numbers is too long");
  for (const [from, to] of ranges.toJSON()) {
    for (let number = from; number <= to; number += 1) {
      const [, word, bit] = placeOf(number);
      words[word] = (words[word] ?? 0) | bit;
    }
  }
  return words;
}

function placeOf(number: number): [block: number, word: number, bit: number] {
  const within = number % blockNumbers;
  return [
    (number - within) / blockNumbers,
    Math.floor(within / wordBits),
    (1 << (within % wordBits)) >>> 0,
  ];
}

/** Ascending ranges of the bits that are set. */
function* runsOf(words: Uint32Array): Generator<Range> {
  let start: number | undefined;
  // Not by an iterator: it would take most of the time of a report with many holes.
  for (let at = 0; at < words.length; at += 1) {
    const [word, base] = [words[at] ?? 0, at * wordBits];
    const isSame = word === (start === undefined ? 0 : fullWord);
    if (isSame) continue;
    for (let bit = 0; bit < wordBits; bit += 1) {
      const isSet = ((word >>> bit) & 1) === 1;
      if (isSet && start === undefined) start = base + bit;
      if (!isSet && start !== undefined) {
        yield [start, base + bit - 1];
        start = undefined;
      }
    }
  }
  if (start !== undefined) yield [start, words.length * wordBits - 1];
}

function bitsIn(word: number): number {
  let count = 0;
  for (let rest = word; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count += 1;
  return count;
}
