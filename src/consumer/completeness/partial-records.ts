/** Saved form of a record: its number, the indexes of its events, and of those that are there. */
export type PartialRecordState = readonly [
  sequence: number,
  expected: readonly number[],
  seen: readonly number[],
];

interface PartialRecord {
  readonly expected: Set<number>;
  readonly seen: Set<number>;
}

/** Records that have several events, of which some are missing. */
export class PartialRecords {
  readonly #records: Map<number, PartialRecord>;
  #indexes = 0;

  constructor(records: readonly PartialRecordState[] = []) {
    this.#records = new Map(
      records.map(([sequence, expected, seen]) => [
        sequence,
        { expected: new Set(expected), seen: new Set(seen) },
      ]),
    );
    for (const { expected } of this.#records.values()) this.#indexes += expected.size;
  }

  get records(): number {
    return this.#records.size;
  }

  /** Indexes of all events of these records. */
  get indexes(): number {
    return this.#indexes;
  }

  has(sequence: number): boolean {
    return this.#records.has(sequence);
  }

  /** Adds an event of a record, which has those with the expected indexes. False if it is there already. */
  add(sequence: number, index: number, expected: readonly number[]): boolean {
    const known = this.#records.get(sequence);
    const record = known ?? { expected: new Set<number>(), seen: new Set<number>() };
    if (record.seen.has(index)) return false;
    const before = record.expected.size;
    record.seen.add(index);
    for (const each of [index, ...expected]) record.expected.add(each);
    this.#indexes += record.expected.size - (known === undefined ? 0 : before);
    this.#records.set(sequence, record);
    if (record.seen.size === record.expected.size) this.delete(sequence);
    return true;
  }

  /** Forgets a record; false if it is not here. */
  delete(sequence: number): boolean {
    this.#indexes -= this.#records.get(sequence)?.expected.size ?? 0;
    return this.#records.delete(sequence);
  }

  /** The indexes of the missing events of each record, in the order of their numbers. */
  missing(): (readonly [sequence: number, indexes: readonly number[]])[] {
    return [...this.#records]
      .map(([sequence, { expected, seen }]) => {
        const indexes = [...expected].filter((index) => !seen.has(index));
        return [sequence, indexes.toSorted((a, b) => a - b)] as const;
      })
      .toSorted(([a], [b]) => a - b);
  }

  toJSON(): PartialRecordState[] {
    return [...this.#records].map(([sequence, { expected, seen }]) => [
      sequence,
      [...expected],
      [...seen],
    ]);
  }
}
