import type { CertwireEvent } from "../../events/event.ts";
import { knownKindOf } from "../read-event.ts";
import { crlIndexes } from "./crl-indexes.ts";
import { changedIndex, type EventPlace, foundGapIndex } from "./place.ts";
import { type Range, Ranges } from "./ranges.ts";

/** What a gap event says about the numbers of an epoch. */
export interface Gap {
  readonly from: number;
  /** Absent: to the end of the epoch. */
  readonly to?: number;
  readonly reason: string;
  /** True if the reader of the journal found it: then it is not a record itself. */
  readonly isFound: boolean;
}

/** Saved form of an epoch. */
export interface EpochState {
  readonly id: string;
  readonly number: number;
  readonly cas: readonly string[];
  readonly sources: readonly string[];
  readonly since: string;
  readonly first: number;
  readonly firstLive: number | null;
  readonly stoppedAt: number | null;
  readonly events: number;
  readonly duplicates: number;
  readonly lost: number;
  readonly seen: readonly Range[];
  readonly changes: readonly Range[];
  readonly partial: readonly (readonly [number, readonly number[], readonly number[]])[];
  readonly gaps: readonly Gap[];
}

/** The events of a record that has several of them. */
interface PartialRecord {
  readonly expected: Set<number>;
  readonly seen: Set<number>;
}

/** What is known of one epoch: which of its records are there, and which a gap event accounts for. */
export class Epoch {
  readonly id: string;
  readonly number: number;
  /** Ids of the CA, without `unknown`. */
  readonly cas: Set<string>;
  readonly sources: Set<string>;
  /** When the oldest of its events was recorded. */
  since: string;
  /** The lowest number of any event. */
  first: number;
  /** The lowest number of an event that is not a replay. */
  firstLive: number | undefined;
  /** Number of `ca.stopped`. */
  stoppedAt: number | undefined;
  /** Different events. */
  events: number;
  /** Further copies of them. */
  duplicates: number;
  /** Lost events that gap events count, and that never had a number. */
  lost: number;
  /** Records whose events are all there. */
  readonly seen: Ranges;
  /** Records that have a `ca.changed`. */
  readonly #changes: Ranges;
  readonly #partial: Map<number, PartialRecord>;
  readonly #gaps: Map<string, Gap>;

  constructor(state: EpochState) {
    this.id = state.id;
    this.number = state.number;
    this.cas = new Set(state.cas);
    this.sources = new Set(state.sources);
    this.since = state.since;
    this.first = state.first;
    this.firstLive = state.firstLive ?? undefined;
    this.stoppedAt = state.stoppedAt ?? undefined;
    this.events = state.events;
    this.duplicates = state.duplicates;
    this.lost = state.lost;
    this.seen = new Ranges(state.seen);
    this.#changes = new Ranges(state.changes);
    this.#partial = new Map(
      state.partial.map(([sequence, expected, seen]) => [
        sequence,
        { expected: new Set(expected), seen: new Set(seen) },
      ]),
    );
    this.#gaps = new Map(state.gaps.map((gap) => [keyOf(gap), gap]));
  }

  /** An epoch of which nothing is known but one event; that is not counted yet. */
  static startingWith({ epochId, epochNumber, sequence }: EventPlace, event: CertwireEvent): Epoch {
    return new Epoch({
      id: epochId,
      number: epochNumber,
      cas: [],
      sources: [],
      since: event.recordedtime,
      first: sequence,
      firstLive: null,
      stoppedAt: null,
      events: 0,
      duplicates: 0,
      lost: 0,
      seen: [],
      changes: [],
      partial: [],
      gaps: [],
    });
  }

  /** By number; a later gap with the same beginning replaces one that is smaller. */
  get gaps(): Gap[] {
    return [...this.#gaps.values()].toSorted((a, b) => a.from - b.from);
  }

  /** Records of which some events are there: their numbers, and the indexes of those that are missing. */
  get incomplete(): ReadonlyMap<number, readonly number[]> {
    const indexes = new Map<number, number[]>();
    for (const [sequence, { expected, seen }] of this.#partial) {
      if (seen.size === 0) continue; // nothing but a `ca.changed`
      indexes.set(
        sequence,
        [...expected].filter((index) => !seen.has(index)),
      );
    }
    return indexes;
  }

  /** The highest number that something says is in the epoch; a gap without an end begins after it. */
  get last(): number {
    let last = Math.max(this.seen.last ?? 0, this.#changes.last ?? 0);
    for (const sequence of this.#partial.keys()) last = Math.max(last, sequence);
    for (const { from, to } of this.#gaps.values()) last = Math.max(last, to ?? from - 1);
    return last;
  }

  add(event: CertwireEvent, place: EventPlace): void {
    const { sequence } = place;
    if (event.recordedtime < this.since) this.since = event.recordedtime;
    this.first = Math.min(this.first, sequence);
    if (event.replayed !== true) this.firstLive = Math.min(this.firstLive ?? sequence, sequence);
    this.#addNames(event);
    if (this.#isNew(event, place)) this.events += 1;
    else this.duplicates += 1;
  }

  toJSON(): EpochState {
    return {
      id: this.id,
      number: this.number,
      cas: [...this.cas],
      sources: [...this.sources],
      since: this.since,
      first: this.first,
      firstLive: this.firstLive ?? null,
      stoppedAt: this.stoppedAt ?? null,
      events: this.events,
      duplicates: this.duplicates,
      lost: this.lost,
      seen: this.seen.toJSON(),
      changes: this.#changes.toJSON(),
      partial: [...this.#partial].map(([sequence, { expected, seen }]) => [
        sequence,
        [...expected],
        [...seen],
      ]),
      gaps: this.gaps,
    };
  }

  #addNames({ source, data }: CertwireEvent): void {
    this.sources.add(source);
    for (const owner of [data["ca"], data["previous"]]) {
      const { id } = Object(owner) as { id?: unknown };
      if (typeof id === "string" && id !== "unknown") this.cas.add(id);
    }
  }

  #isNew(event: CertwireEvent, { sequence, index }: EventPlace): boolean {
    if (index === foundGapIndex) return this.#addGap(event, sequence, true);
    if (index === changedIndex) return this.#addChange(sequence);
    const kind = knownKindOf(event);
    if (kind === "crl.issued") return this.#addPart(sequence, index, crlIndexes(event, index));
    if (this.seen.has(sequence)) return false;
    this.#partial.delete(sequence);
    this.seen.add(sequence);
    if (kind === "ca.stopped") this.stoppedAt = Math.min(this.stoppedAt ?? sequence, sequence);
    if (kind === "journal.gap") this.#addGap(event, sequence, false);
    return true;
  }

  #addChange(sequence: number): boolean {
    if (this.#changes.has(sequence)) return false;
    this.#changes.add(sequence);
    // The record has another event, too.
    if (!this.seen.has(sequence) && !this.#partial.has(sequence)) {
      this.#partial.set(sequence, { expected: new Set([0]), seen: new Set() });
    }
    return true;
  }

  #addPart(sequence: number, index: number, expected: readonly number[]): boolean {
    if (this.seen.has(sequence)) return false;
    const known = this.#partial.get(sequence);
    // After a `ca.changed` alone it is not known what the indexes are.
    const record =
      known !== undefined && known.seen.size > 0
        ? known
        : { expected: new Set<number>(), seen: new Set<number>() };
    if (record.seen.has(index)) return false;
    record.seen.add(index);
    for (const each of [index, ...expected]) record.expected.add(each);
    if (record.seen.size < record.expected.size) {
      this.#partial.set(sequence, record);
    } else {
      this.#partial.delete(sequence);
      this.seen.add(sequence);
    }
    return true;
  }

  /** True for one that is not known; a larger range of one that is known counts too. */
  #addGap({ data }: CertwireEvent, sequence: number, isFound: boolean): boolean {
    const reason = typeof data["reason"] === "string" ? data["reason"] : "unknown";
    const first = numberIn(data["firstSequence"]);
    if (!isFound) this.lost += first === undefined ? (numberIn(data["count"]) ?? 0) : 0;
    if (!isFound && first === undefined) return true;
    const from = first ?? sequence;
    const last = numberIn(data["lastSequence"]) ?? (isFound ? undefined : from);
    const gap = { from, ...(last !== undefined && { to: Math.max(from, last) }), reason, isFound };
    const known = this.#gaps.get(keyOf(gap));
    if (known === undefined || endOf(gap) > endOf(known)) this.#gaps.set(keyOf(gap), gap);
    return known === undefined;
  }
}

function keyOf({ from, isFound }: Gap): string {
  return `${from}${isFound ? "" : " of the writer"}`;
}

/** The last number of a gap; infinite without an end. */
export function endOf({ to }: Gap): number {
  return to ?? Number.POSITIVE_INFINITY;
}

/** A number that an event has as decimal text. */
function numberIn(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : Number.NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}
