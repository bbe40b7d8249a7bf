import { NumberSet } from "../consumer/completeness/number-set.ts";
import {
  changedIndex,
  type EventPlace,
  foundGapIndex,
  isFromDatabase,
  placeOf,
} from "../consumer/completeness/place.ts";
import type { Range } from "../consumer/completeness/ranges.ts";
import type { CompletenessReport, Hole } from "../consumer/completeness/report.ts";
import type { CertwireEvent } from "../events/event.ts";
import type { JournalFrame } from "../journal/frame.ts";
import { WholeJournal } from "../journal/whole-journal.ts";
import {
  type JournalVerdict,
  type OnProgress,
  verifyJournal,
} from "../journal-tools/verify-journal.ts";
import { mebibyte } from "../units.ts";
import { keepsCertificate } from "./ca-change.ts";
import type { Finding, Findings } from "./finding.ts";
import { isFoundGap, lostRange } from "./found-gap.ts";
import { type IndexedEpoch, JournalIndex, placeInterval } from "./journal-index.ts";
import { type ReadEvent, RecordMatcher } from "./match-record.ts";

/** How many bytes of events wait until they are compared together. */
const maxWaitingBytes = 64 * mebibyte;
/** How many events wait. */
const maxWaiting = 20_000;
/** With more records than this before the next one that is wanted, reading starts again near it. */
const farAway = 4096;

/** Records of a journal beside the events that were made of them. */
export interface ComparisonReport {
  /** Copies of events that say what their records say. */
  readonly same: number;
  /** Those of which a sink redacted or left out something, and the rest is the same. */
  readonly partly: number;
  /** Those of records that this version reads otherwise, of which only the hashes were compared. */
  readonly unread: number;
  /** Records without an event that were recorded before the oldest event, or after the newest. */
  readonly before: number;
  readonly after: number;
  /** Records without an event that are dead letters. */
  readonly deadLetters: number;
  /** Records without an event that a later one with the same key has replaced in a compacted topic. */
  readonly compacted: number;
  /** Events of records that the journal does not have any more: deleted by retention, or reported as lost. */
  readonly gone: number;
  /** Events of gaps that the reader found, of which the journal lacks the records, too. */
  readonly gaps: number;
  /** Events of records that are newer than a copy of the journal, and were not compared. */
  readonly newer: number;
}

interface Waiting extends ReadEvent {
  readonly epoch: IndexedEpoch;
  readonly sequence: number;
  readonly place: string;
}

/** An event that can be judged only once the journal was read up to its present end. */
interface Undecided {
  readonly event: CertwireEvent;
  readonly dataText: string;
  readonly place: string;
}

/** Compares events with the journal that they are from, some thousands at a time, in whatever order they come. */
export class JournalComparison {
  readonly verdict: JournalVerdict;
  readonly #directory: string;
  readonly #index: JournalIndex;
  readonly #findings: Findings;
  readonly #matcher = new RecordMatcher();
  /** By the id of the epoch: the records that have an event. */
  readonly #seen = new Map<string, NumberSet>();
  /** By key: the newest event. */
  readonly #newestOfKey = new Map<string, string>();
  readonly #counts = { same: 0, partly: 0, unread: 0, gone: 0, gaps: 0, newer: 0 };
  /** True for a topic that keeps only the newest event of each key. */
  keepsKeys = false;
  /** True for a copy of a journal, which lacks what was recorded since. */
  isCopy = false;
  /** The end of the journal when it was opened. What was recorded since is compared, and not missed. */
  readonly #atOpen: Place;
  #source: string | undefined;
  readonly #missing = new Map<IndexedEpoch, NumberSet>();
  #waiting: Waiting[] = [];
  #undecided: Undecided[] = [];
  /** Events `ca.changed` that their records make if another CA was there before. */
  #changes: Waiting[] = [];
  #waitingBytes = 0;

  private constructor(
    directory: string,
    index: JournalIndex,
    verdict: JournalVerdict,
    findings: Findings,
  ) {
    this.#directory = directory;
    this.#index = index;
    this.verdict = verdict;
    this.#findings = findings;
    const newest = index.epochs.at(-1);
    this.#atOpen = { epoch: newest, sequence: newest?.records.last ?? 0 };
  }

  /** Reads the whole journal once. Rejects with CERTWIRE_JOURNAL_UNREADABLE. */
  static async open(
    directory: string,
    findings: Findings,
    signal: AbortSignal,
    onProgress: OnProgress,
  ): Promise<JournalComparison> {
    const index = new JournalIndex(directory);
    await index.open();
    const verdict = await verifyJournal(directory, signal, onProgress, (frame, found) =>
      index.add(frame, found),
    );
    return new JournalComparison(directory, index, verdict, findings);
  }

  /** True when `compare` should be called. */
  get isFull(): boolean {
    const count = this.#waiting.length + this.#undecided.length;
    return count >= maxWaiting || this.#waitingBytes >= maxWaitingBytes;
  }

  /**
   * Takes an event; `dataText` is its data as JSON, `place` where it stands. Throws CERTWIRE_MESSAGE_INVALID if its id names
   * no place in a journal, nor an event of the database.
   */
  add(event: CertwireEvent, dataText: string, place: string): void {
    if (isFromDatabase(event)) return;
    const at = placeOf(event);
    const undecided = { event, dataText, place };
    if (isFoundGap(event, at)) return this.#postpone(undecided);
    if (this.keepsKeys) this.#noteKey(event);
    const epoch = this.#epochOf(at);
    if (epoch?.records.has(at.sequence)) this.#await(epoch, undecided);
    else if (this.#isNewer(at)) this.#postpone(undecided);
    else this.#addAbsent(at, place);
  }

  #postpone(undecided: Undecided): void {
    this.#undecided.push(undecided);
    this.#waitingBytes += undecided.dataText.length;
  }

  /** Lets an event wait for the comparison with its record. */
  #await(epoch: IndexedEpoch, { event, dataText, place }: Undecided): void {
    const { sequence } = placeOf(event);
    const seen = this.#seen.get(epoch.id) ?? new NumberSet();
    seen.add(sequence);
    this.#seen.set(epoch.id, seen);
    const { data: _data, ...attributes } = event;
    this.#waiting.push({ epoch, sequence, place, attributes, dataText });
    this.#waitingBytes += dataText.length;
  }

  /** An event is published after its record: what the journal does not have by now, it never had, or has no more. */
  async #decide(signal: AbortSignal): Promise<void> {
    const undecided = this.#undecided;
    this.#undecided = [];
    if (undecided.some(({ event }) => this.#isNewer(placeOf(event)))) {
      await this.#index.readOn(signal);
    }
    if (signal.aborted) return;
    for (const each of undecided) {
      const at = placeOf(each.event);
      const epoch = this.#epochOf(at);
      if (isFoundGap(each.event, at)) this.#checkGap(each, at, epoch);
      else if (epoch?.records.has(at.sequence)) this.#await(epoch, each);
      else this.#addAbsent(at, each.place);
    }
  }

  /** A gap that the reader found: the journal must lack what it says is lost, and show that it does. */
  #checkGap({ event, place }: Undecided, at: EventPlace, epoch: IndexedEpoch | undefined): void {
    const range = lostRange(event, at);
    if (typeof range === "string") {
      this.#add("content", at, place, `${range} is not what a reader of the journal says`);
      return;
    }
    const [from, to] = range;
    const present = [...(epoch?.records.ranges() ?? [])].find(
      ([first, last]) => first <= to && last >= from,
    );
    if (present) {
      const sequence = Math.max(from, present[0]);
      this.#add("content", at, place, `the journal has record ${sequence}, which it says is lost`);
    } else if (epoch?.lost.some((lost) => lost.from <= to && lost.to >= from)) {
      this.#counts.gaps += 1;
    } else this.#addAbsent(at, place, "gap");
  }

  /** Counts an event whose record the journal does not have, or adds a finding. */
  #addAbsent(at: EventPlace, place: string, what: "record" | "gap" = "record"): void {
    if (this.#isGone(at)) this.#counts.gone += 1;
    else if (!this.#isNewer(at)) this.#add("unknown", at, place, `the journal has no such ${what}`);
    else if (this.isCopy) this.#counts.newer += 1;
    else {
      const detail = `the journal ends before this ${what}; if it is a copy, say so with --copy`;
      this.#add("unknown", at, place, detail);
    }
  }

  #add(kind: Finding["kind"], at: EventPlace, place: string, detail: string): void {
    const { epochNumber, epochId, sequence } = at;
    this.#findings.add({ kind, epochNumber, epochId, sequence, place, detail });
  }

  /** Compares what is waiting. Rejects with CERTWIRE_JOURNAL_UNREADABLE. */
  async compare(signal: AbortSignal): Promise<void> {
    if (this.#undecided.length > 0) await this.#decide(signal);
    const waiting = this.#waiting.toSorted(
      (a, b) => a.epoch.rank - b.epoch.rank || a.sequence - b.sequence,
    );
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (let next = 0; next < waiting.length && !signal.aborted; ) {
      next = await this.#compareFrom(waiting, next, signal);
    }
    for (const change of this.#changes.splice(0)) await this.#checkChange(change, signal);
  }

  /**
   * What came of it. `deadLetters`: `<epoch id>-<sequence>` of the records that are dead letters. Reads once more the
   * records of which a compacted topic has no event.
   */
  async finish(
    { journals }: CompletenessReport,
    deadLetters: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<ComparisonReport> {
    await this.compare(signal);
    const counts = { before: 0, after: 0, deadLetters: 0, compacted: 0 };
    const start = this.#startOf(journals.map(({ startsAt }) => startsAt));
    const end = this.#end();
    const missing = new Map<IndexedEpoch, NumberSet>();
    for (const epoch of this.#index.epochs) {
      for (const sequence of this.#withoutEvent(epoch)) {
        if (isBefore(this.#atOpen, { epoch, sequence })) break;
        if (isBefore({ epoch, sequence }, start)) counts.before += 1;
        else if (isBefore(end, { epoch, sequence })) counts.after += 1;
        else if (deadLetters.has(`${epoch.id}-${sequence}`)) counts.deadLetters += 1;
        else addTo(missing, epoch, sequence);
      }
    }
    for (const [epoch, numbers] of missing) {
      const others = this.keepsKeys ? await this.#notReplaced(epoch, numbers, signal) : numbers;
      counts.compacted += countOf(numbers) - countOf(others);
      if (countOf(others) > 0) this.#missing.set(epoch, others);
      for (const range of others.ranges()) this.#addMissing(epoch, range);
    }
    return { ...this.#counts, ...counts };
  }

  /** True if the journal shows that nothing is lost by a hole, or why; once `finish` has been called. */
  explains(hole: Hole): boolean {
    const epochs = this.#index.epochs.filter(
      ({ rank }) => rank <= (this.#atOpen.epoch?.rank ?? -1),
    );
    if (hole.kind === "events") return false;
    if (hole.kind === "epochs") {
      const isOlder = epochs.some(({ number }) => number < hole.from);
      return isOlder && !epochs.some(({ number }) => number >= hole.from && number <= hole.to);
    }
    const epoch = epochs.find(({ id }) => id === hole.epochId);
    if (epoch === undefined) return false;
    const { first = 0 } = epoch.records;
    const last = epoch === this.#atOpen.epoch ? this.#atOpen.sequence : (epoch.records.last ?? 0);
    const { from, to } = hole.kind === "end" ? { from: hole.from, to: last } : hole;
    const overlaps = (range: Range): boolean => range[0] <= to && range[1] >= from;
    const isLost = epoch.lost.some((range) => overlaps([range.from, range.to]));
    const isMissing = [...(this.#missing.get(epoch)?.ranges() ?? [])].some(overlaps);
    const isCovered = from >= first && to <= last;
    return isCovered && !isLost && !isMissing;
  }

  #noteKey({ source, partitionkey, sequence = "" }: CertwireEvent): void {
    this.#source = source;
    const known = this.#newestOfKey.get(partitionkey);
    if (known === undefined || known < sequence) this.#newestOfKey.set(partitionkey, sequence);
  }

  #epochOf({ epochId, epochNumber }: EventPlace): IndexedEpoch | undefined {
    const epoch = this.#index.epoch(epochId);
    return epoch?.number === epochNumber ? epoch : undefined;
  }

  /** True for a record that the journal may have had: it was deleted, or is reported as lost. */
  #isGone(at: EventPlace): boolean {
    const { epochId, epochNumber, sequence } = at;
    const epoch = this.#epochOf(at);
    const [oldest] = this.#index.epochs;
    if (this.#index.epoch(epochId) === undefined) return epochNumber < (oldest?.number ?? 0);
    if (epoch === undefined) return false;
    if (epoch === oldest && sequence < (epoch.records.first ?? 0)) return true;
    return epoch.lost.some(({ from, to }) => sequence >= from && sequence <= to);
  }

  /** True for a record after the end of the journal. */
  #isNewer(at: EventPlace): boolean {
    const { epochId, epochNumber, sequence } = at;
    const newest = this.#index.epochs.at(-1);
    if (newest === undefined) return true;
    if (this.#index.epoch(epochId) === undefined) return epochNumber > newest.number;
    return this.#epochOf(at) === newest && sequence > (newest.records.last ?? 0);
  }

  /** Compares from one event on, up to a place where reading has to start again; returns the next event. */
  async #compareFrom(
    waiting: readonly Waiting[],
    from: number,
    signal: AbortSignal,
  ): Promise<number> {
    const { epoch, sequence } = waiting[from] ?? {};
    if (epoch === undefined || sequence === undefined) return waiting.length;
    const place = this.#index.placeBefore(epoch.id, sequence);
    const journal = new WholeJournal(this.#directory, place ?? null);
    let next = from;
    try {
      for await (const frames of journal.chunks(signal)) {
        for (const frame of frames) next = this.#takeFrame(waiting, next, frame);
        const wanted = waiting[next];
        if (wanted === undefined || this.#isFar(wanted, frames.at(-1))) break;
      }
    } finally {
      journal.close();
    }
    if (next > from || signal.aborted) return Math.max(next, from + 1);
    // The record was there, and retention has deleted it since.
    this.#counts.gone += 1;
    return from + 1;
  }

  #isFar({ epoch, sequence }: Waiting, last: JournalFrame | undefined): boolean {
    const present = this.#index.epoch(last?.epochId ?? "");
    if (last === undefined || present === undefined) return false;
    const end = present === epoch ? sequence : (present.records.last ?? 0);
    return Number(last.sequence) + farAway < end;
  }

  #takeFrame(waiting: readonly Waiting[], from: number, frame: JournalFrame): number {
    if (frame.index === foundGapIndex) return from;
    const sequence = Number(frame.sequence);
    let next = from;
    for (; ; next += 1) {
      const wanted = waiting[next];
      if (wanted?.epoch.id !== frame.epochId || wanted.sequence > sequence) return next;
      if (wanted.sequence === sequence) this.#match(frame, wanted);
    }
  }

  #match(frame: JournalFrame, event: Waiting): void {
    const match = this.#matcher.match(frame, event);
    if (typeof match === "string") {
      this.#counts[match] += 1;
      if (event.attributes.id.endsWith(`-${changedIndex}`)) this.#changes.push(event);
      return;
    }
    const { epochNumber, epochId } = frame;
    const { sequence, place } = event;
    const detail = `${match.differs} is not what the record in the journal says`;
    this.#findings.add({ kind: "content", epochNumber, epochId, sequence, place, detail });
  }

  /** Within an epoch the journal shows whether the CA has changed; at its start only the service knew. */
  async #checkChange({ epoch, sequence, place }: Waiting, signal: AbortSignal): Promise<void> {
    const { id: epochId, number: epochNumber } = epoch;
    const from = this.#index.placeBefore(epochId, Math.max(1, sequence - placeInterval));
    const journal = new WholeJournal(this.#directory, from ?? null);
    try {
      if (!(await keepsCertificate(journal.chunks(signal), { epochId, sequence }))) return;
      const detail = "the record before it has the same certificate of the CA";
      this.#findings.add({ kind: "content", epochNumber, epochId, sequence, place, detail });
    } finally {
      journal.close();
    }
  }

  *#withoutEvent(epoch: IndexedEpoch): Generator<number> {
    const seen = this.#seen.get(epoch.id) ?? new NumberSet();
    for (const [from, to] of epoch.records.ranges()) {
      for (let sequence = from; sequence <= to; sequence += 1) {
        if (!seen.has(sequence) && !epoch.undecodable.has(sequence)) yield sequence;
      }
    }
  }

  /** Where the proof begins of the events that are of this journal. */
  #startOf(starts: readonly { readonly epochId: string; readonly sequence: number }[]): Place {
    const known = starts.flatMap(({ epochId, sequence }) => {
      const epoch = this.#index.epoch(epochId);
      return epoch ? [{ epoch, sequence }] : [];
    });
    // If the oldest event is older than the journal, the journal begins later.
    return known[0] ?? { epoch: undefined, sequence: 0 };
  }

  #end(): Place {
    for (const epoch of this.#index.epochs.toReversed()) {
      const last = this.#seen.get(epoch.id)?.last;
      if (last !== undefined) return { epoch, sequence: last };
    }
    return { epoch: undefined, sequence: 0 };
  }

  /** Those of the missing records of an epoch that a compacted topic has not replaced. */
  async #notReplaced(
    epoch: IndexedEpoch,
    missing: NumberSet,
    signal: AbortSignal,
  ): Promise<NumberSet> {
    const place = this.#index.placeBefore(epoch.id, missing.first ?? 0);
    const journal = new WholeJournal(this.#directory, place ?? null);
    const others = new NumberSet();
    try {
      for await (const frames of journal.chunks(signal)) {
        for (const frame of frames) {
          const sequence = Number(frame.sequence);
          if (frame.epochId !== epoch.id || !missing.has(sequence)) continue;
          if (!this.#isReplaced(frame)) others.add(sequence);
        }
        if (frames.at(-1)?.epochId !== epoch.id) break;
      }
    } finally {
      journal.close();
    }
    return others;
  }

  /** True if a later event has the key that the events of the record have. */
  #isReplaced(frame: JournalFrame): boolean {
    const made = this.#matcher.make(frame, this.#source);
    return made.every(({ partitionkey, sequence = "" }) => {
      const newest = this.#newestOfKey.get(partitionkey);
      return newest !== undefined && newest > sequence;
    });
  }

  #addMissing({ id: epochId, number: epochNumber }: IndexedEpoch, [from, to]: Range): void {
    const range = from === to ? {} : { to };
    const detail = "the journal has the record, and there is no event of it";
    this.#findings.add({ kind: "missing", epochNumber, epochId, sequence: from, ...range, detail });
  }
}

function addTo(sets: Map<IndexedEpoch, NumberSet>, epoch: IndexedEpoch, sequence: number): void {
  const numbers = sets.get(epoch) ?? new NumberSet();
  numbers.add(sequence);
  sets.set(epoch, numbers);
}

function countOf(numbers: NumberSet): number {
  return [...numbers.ranges()].reduce((sum, [from, to]) => sum + to - from + 1, 0);
}

interface Place {
  readonly epoch: IndexedEpoch | undefined;
  readonly sequence: number;
}

function isBefore(a: Place, b: Place): boolean {
  const [rankA, rankB] = [a.epoch?.rank ?? -1, b.epoch?.rank ?? -1];
  return rankA < rankB || (rankA === rankB && a.sequence < b.sequence);
}
