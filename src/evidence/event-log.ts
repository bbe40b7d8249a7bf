import { hash } from "node:crypto";
import {
  changedIndex,
  type EventPlace,
  isFromDatabase,
  placeOf,
} from "../consumer/completeness/place.ts";
import { knownKindOf } from "../consumer/read-event.ts";
import type { CertwireEvent } from "../events/event.ts";
import { compareTexts } from "./finding.ts";
import { isFoundGap } from "./found-gap.ts";

/** Bytes that are kept of a hash: nobody can find another record with the same 128 bits. */
const hashBytes = 16;
/** Rows for which there is space at first. */
const firstRows = 1024;
const longestTime = 30;
const chainValue = /^[0-9a-f]{64}$/;

/** Where an event was read. */
export interface ReadPlace {
  /** Topic and partition, stream, or file. */
  readonly name: string;
  /** Offset, or number of the line. */
  readonly at: number;
}

/** An epoch of which there are events. */
export interface LoggedEpoch {
  readonly id: string;
  readonly number: number;
  /** `source` of its first event. */
  readonly source: string;
  /** `recordedtime` of its oldest and its newest record. */
  since: string;
  until: string;
}

/**
 * What is kept of each event that was read, in about 80 bytes: its place in the journal, its hashes, and a hash of what it
 * says.
 */
export class EventLog {
  readonly epochs: LoggedEpoch[] = [];
  readonly #epochRows = new Map<string, number>();
  readonly #names: string[] = [];
  readonly #nameRows = new Map<string, number>();
  #size = 0;
  #epoch = new Uint32Array(firstRows);
  #sequence = new Float64Array(firstRows);
  #index = new Uint16Array(firstRows);
  #name = new Uint32Array(firstRows);
  #at = new Float64Array(firstRows);
  #isChained = new Uint8Array(firstRows);
  #isMisplaced = new Uint8Array(firstRows);
  /** Previous hash, record hash, and hash of the content of each row. */
  #hashes = Buffer.alloc(firstRows * 3 * hashBytes);

  get size(): number {
    return this.#size;
  }

  /**
   * Takes an event; `data` is its data as JSON. A gap that the reader of the journal found is left out: it is not a
   * record. Throws CERTWIRE_MESSAGE_INVALID if its id names no place in a journal, nor an event of the database.
   */
  add(event: CertwireEvent, data: Buffer | string, { name, at }: ReadPlace): void {
    // What the CA's database says is not of a journal.
    if (isFromDatabase(event)) return;
    const place = placeOf(event);
    if (isFoundGap(event, place)) return;
    if (this.#size === this.#epoch.length) this.#grow();
    const row = this.#size;
    this.#size += 1;
    this.#epoch[row] = this.#epochRow(event, place);
    this.#sequence[row] = place.sequence;
    this.#index[row] = place.index;
    this.#isMisplaced[row] = isMisplaced(event, place) ? 1 : 0;
    this.#name[row] = this.#nameRow(name);
    this.#at[row] = at;
    const { previoushash, recordhash } = event;
    const start = row * 3 * hashBytes;
    if (isChainValue(previoushash) && isChainValue(recordhash)) {
      this.#isChained[row] = 1;
      this.#hashes.write(previoushash.slice(0, 2 * hashBytes), start, "hex");
      this.#hashes.write(recordhash.slice(0, 2 * hashBytes), start + hashBytes, "hex");
    }
    contentHash(event, data).copy(this.#hashes, start + 2 * hashBytes, 0, hashBytes);
  }

  /** The rows in the order of the journal; those of one event in the order in which they were read. */
  sorted(): Uint32Array {
    const ranks = this.#ranks();
    const rows = Uint32Array.from({ length: this.#size }, (_, row) => row);
    const rank = (row: number): number => ranks[this.#epoch[row] ?? 0] ?? 0;
    return rows.toSorted(
      (a, b) =>
        rank(a) - rank(b) ||
        this.sequenceAt(a) - this.sequenceAt(b) ||
        this.indexAt(a) - this.indexAt(b) ||
        a - b,
    );
  }

  epochAt(row: number): number {
    return this.#epoch[row] ?? 0;
  }

  sequenceAt(row: number): number {
    return this.#sequence[row] ?? 0;
  }

  indexAt(row: number): number {
    return this.#index[row] ?? 0;
  }

  isChainedAt(row: number): boolean {
    return this.#isChained[row] === 1;
  }

  /** True if an event of its kind never has its index. */
  isMisplacedAt(row: number): boolean {
    return this.#isMisplaced[row] === 1;
  }

  placeAt(row: number): string {
    const name = this.#names[this.#name[row] ?? 0] ?? "";
    return `${name}${this.#at[row]}`;
  }

  /** True if the two rows have the same hashes. */
  haveSameHashes(a: number, b: number): boolean {
    return this.#isSame(a, 0, b, 0, 2);
  }

  /** True if the two rows say the same. */
  haveSameContent(a: number, b: number): boolean {
    return this.#isSame(a, 2, b, 2, 1);
  }

  /** True if the record of `b` says that the one of `a` was before it. */
  isLinked(a: number, b: number): boolean {
    return this.#isSame(a, 1, b, 0, 1);
  }

  /** True if the record is the first one after a chain value. */
  follows(row: number, value: string): boolean {
    const start = row * 3 * hashBytes;
    return this.#hashes.toString("hex", start, start + hashBytes) === value.slice(0, 2 * hashBytes);
  }

  #isSame(a: number, partOfA: number, b: number, partOfB: number, parts: number): boolean {
    const [startA, startB] = [(a * 3 + partOfA) * hashBytes, (b * 3 + partOfB) * hashBytes];
    const bytes = parts * hashBytes;
    return this.#hashes.compare(this.#hashes, startA, startA + bytes, startB, startB + bytes) === 0;
  }

  #ranks(): number[] {
    const rows = this.epochs.map((_, row) => row);
    rows.sort((a, b) => {
      const [one, other] = [this.epochs[a], this.epochs[b]];
      if (one === undefined || other === undefined) return 0;
      return one.number - other.number || compareTexts(one.id, other.id);
    });
    const ranks: number[] = [];
    for (const [rank, row] of rows.entries()) ranks[row] = rank;
    return ranks;
  }

  #epochRow({ source, recordedtime }: CertwireEvent, place: EventPlace): number {
    const { epochId, epochNumber } = place;
    const key = `${epochNumber}-${epochId}`;
    const time = recordedtime.slice(0, longestTime);
    const known = this.#epochRows.get(key);
    const epoch = known === undefined ? undefined : this.epochs[known];
    if (known === undefined || epoch === undefined) {
      const row = this.epochs.length;
      this.#epochRows.set(key, row);
      this.epochs.push({ id: epochId, number: epochNumber, source, since: time, until: time });
      return row;
    }
    if (time < epoch.since) epoch.since = time;
    if (time > epoch.until) epoch.until = time;
    return known;
  }

  #nameRow(name: string): number {
    const known = this.#nameRows.get(name);
    if (known !== undefined) return known;
    this.#nameRows.set(name, this.#names.length);
    this.#names.push(name);
    return this.#names.length - 1;
  }

  #grow(): void {
    const rows = this.#epoch.length * 2;
    this.#epoch = grown(this.#epoch, new Uint32Array(rows));
    this.#sequence = grown(this.#sequence, new Float64Array(rows));
    this.#index = grown(this.#index, new Uint16Array(rows));
    this.#name = grown(this.#name, new Uint32Array(rows));
    this.#at = grown(this.#at, new Float64Array(rows));
    this.#isChained = grown(this.#isChained, new Uint8Array(rows));
    this.#isMisplaced = grown(this.#isMisplaced, new Uint8Array(rows));
    this.#hashes = grown(this.#hashes, Buffer.alloc(rows * 3 * hashBytes));
  }
}

function grown<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** A record has one event, apart from the CRLs of one publication and `ca.changed`, which has an index of its own. */
function isMisplaced(event: CertwireEvent, { index }: EventPlace): boolean {
  const kind = knownKindOf(event);
  if (kind === undefined) return false;
  if (kind === "ca.changed") return index !== changedIndex;
  return kind === "crl.issued" ? index >= changedIndex : index !== 0;
}

function isChainValue(value: unknown): value is string {
  return typeof value === "string" && chainValue.test(value);
}

/** A hash of all that a copy of the event must say too; a replay is marked as one. */
function contentHash(event: CertwireEvent, data: Buffer | string): Buffer {
  const { source, type, subject, time, dataschema, partitionkey, recordedtime } = event;
  const attributes = [source, type, subject, time, dataschema, partitionkey, recordedtime];
  return hash("sha256", `${JSON.stringify(attributes)}${hash("sha256", data)}`, "buffer");
}
