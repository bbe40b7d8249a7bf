import type { CertwireEvent } from "../../events/event.ts";
import { knownKindOf } from "../read-event.ts";
import { crlIndexes } from "./crl-indexes.ts";
import type { EpochState } from "./epoch-state.ts";
import { Gaps } from "./gaps.ts";
import { NumberSet } from "./number-set.ts";
import { PartialRecords } from "./partial-records.ts";
import { changedIndex, type EventPlace, foundGapIndex } from "./place.ts";

/** Longest name of a CA, time and reason that is kept, in characters; those of Certwire are far shorter. */
const maxName = 512;
const maxTime = 40;
const maxReason = 64;

/** What an epoch, a name of its CA, a block of numbers and a record with parts need, in units of about 100 bytes. */
const cost = { epoch: 20, name: 8, block: 8, record: 6 } as const;

/** What is known of one epoch: which of its records are there, and which a gap event accounts for. */
export class Epoch {
  readonly id: string;
  readonly number: number;
  /** Ids of the CA, without `unknown`. */
  readonly cas: Set<string>;
  readonly sources: Set<string>;
  /** When the oldest of its events was recorded. */
  since: string;
  /** When the newest of its records was recorded; a gap that the reader found has the time of something else. */
  until: string;
  /** The lowest number of any event. */
  first: number;
  /** The lowest number of an event that is not a replay. */
  firstLive: number | undefined;
  /** Where the proof ends: the highest number that an event in time shows to be there. Undefined without such an event. */
  last: number | undefined;
  /** Number of `ca.stopped`. */
  stoppedAt: number | undefined;
  /** Different events. */
  events: number;
  /** Further copies of them. */
  duplicates: number;
  /** Lost events that gap events count, and that never had a number. */
  lost: number;
  /** Records of which there is an event, not counting `ca.changed`. */
  readonly seen: NumberSet;
  readonly gaps: Gaps;
  /** Those of the records of which not all events are there. */
  readonly partial: PartialRecords;
  /** Records that have a `ca.changed`. */
  readonly #changes: NumberSet;

  constructor(state: EpochState) {
    this.id = state.id;
    this.number = state.number;
    this.cas = new Set(state.cas);
    this.sources = new Set(state.sources);
    this.since = state.since;
    this.until = state.until;
    this.first = state.first;
    this.firstLive = state.firstLive ?? undefined;
    this.last = state.last ?? undefined;
    this.stoppedAt = state.stoppedAt ?? undefined;
    this.events = state.events;
    this.duplicates = state.duplicates;
    this.lost = state.lost;
    this.seen = new NumberSet(state.seen);
    this.gaps = new Gaps(state.gaps);
    this.partial = new PartialRecords(state.partial);
    this.#changes = new NumberSet(state.changes);
  }

  /** An epoch of which nothing is known but one event; that is not counted yet. */
  static startingWith({ epochId, epochNumber, sequence }: EventPlace, event: CertwireEvent): Epoch {
    const none = { full: [], open: [] };
    return new Epoch({
      id: epochId,
      number: epochNumber,
      cas: [],
      sources: [],
      since: shortened(event.recordedtime, maxTime),
      until: "",
      first: sequence,
      firstLive: null,
      last: null,
      stoppedAt: null,
      events: 0,
      duplicates: 0,
      lost: 0,
      seen: none,
      changes: none,
      partial: [],
      gaps: [],
    });
  }

  /** What it needs in memory, in units of about 100 bytes. */
  get size(): number {
    const names = this.cas.size + this.sources.size;
    const blocks = this.seen.openBlocks + this.#changes.openBlocks;
    const { records, indexes } = this.partial;
    const parts = cost.record * records + indexes;
    return cost.epoch + cost.name * names + cost.block * blocks + parts + this.gaps.size;
  }

  /** Takes an event into account. `isLate`: it may fill a hole, but shows none. */
  add(event: CertwireEvent, place: EventPlace, isLate: boolean): void {
    const { sequence, index } = place;
    const time = shortened(event.recordedtime, maxTime);
    if (time < this.since) this.since = time;
    if (index !== foundGapIndex && time > this.until) this.until = time;
    if (!isLate) {
      this.first = Math.min(this.first, sequence);
      if (event.replayed !== true) this.firstLive = Math.min(this.firstLive ?? sequence, sequence);
    }
    this.#addNames(event);
    if (this.#isNew(event, place, isLate)) this.events += 1;
    else this.duplicates += 1;
  }

  toJSON(): EpochState {
    return {
      id: this.id,
      number: this.number,
      cas: [...this.cas],
      sources: [...this.sources],
      since: this.since,
      until: this.until,
      first: this.first,
      firstLive: this.firstLive ?? null,
      last: this.last ?? null,
      stoppedAt: this.stoppedAt ?? null,
      events: this.events,
      duplicates: this.duplicates,
      lost: this.lost,
      seen: this.seen.toJSON(),
      changes: this.#changes.toJSON(),
      partial: this.partial.toJSON(),
      gaps: this.gaps.toJSON(),
    };
  }

  #addNames({ source, data }: CertwireEvent): void {
    this.sources.add(shortened(source, maxName));
    for (const owner of [data["ca"], data["previous"]]) {
      const { id } = Object(owner) as { id?: unknown };
      if (typeof id === "string" && id !== "unknown") this.cas.add(shortened(id, maxName));
    }
  }

  #isNew(event: CertwireEvent, { sequence, index }: EventPlace, isLate: boolean): boolean {
    if (index === foundGapIndex) return this.#addGap(event, sequence, isLate);
    if (!isLate) this.#reach(sequence);
    if (index === changedIndex) return this.#changes.add(sequence);
    const kind = knownKindOf(event);
    if (kind === "crl.issued") return this.#addPart(event, sequence, index);
    const isFirst = this.seen.add(sequence);
    const isNew = this.partial.delete(sequence) || isFirst;
    if (kind === "ca.stopped") this.stoppedAt = Math.min(this.stoppedAt ?? sequence, sequence);
    if (kind === "journal.gap" && isNew) this.#addLost(event);
    return isNew;
  }

  #addPart(event: CertwireEvent, sequence: number, index: number): boolean {
    const isFirst = this.seen.add(sequence);
    if (!isFirst && !this.partial.has(sequence)) return false;
    return this.partial.add(sequence, index, crlIndexes(event, index));
  }

  /**
   * A gap of the writer counts events that never had a number. A range that it names is only in doubt: what is lost of it
   * the reader finds, and says so in a gap of its own.
   */
  #addLost({ data }: CertwireEvent): void {
    if (data["firstSequence"] === undefined) this.lost += numberIn(data["count"]) ?? 0;
  }

  /** True for one that is not known. */
  #addGap({ data }: CertwireEvent, sequence: number, isLate: boolean): boolean {
    const from = numberIn(data["firstSequence"]) ?? sequence;
    const to = numberIn(data["lastSequence"]);
    const reason = typeof data["reason"] === "string" ? data["reason"] : "unknown";
    const end = to === undefined ? {} : { to: Math.max(from, to) };
    if (!isLate) this.#reach(end.to ?? from - 1);
    return this.gaps.add({ from, ...end, reason: shortened(reason, maxReason) });
  }

  #reach(sequence: number): void {
    this.last = Math.max(this.last ?? 0, sequence);
  }
}

/** The beginning of a text. It is copied: a part of a string keeps the whole string in memory. */
function shortened(text: string, length: number): string {
  return text.length <= length ? text : Buffer.from(text.slice(0, length)).toString();
}

/** A number that an event has as decimal text. */
function numberIn(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}
