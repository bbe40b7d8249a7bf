import { NumberSet } from "../consumer/completeness/number-set.ts";
import { foundGapIndex, placeOf } from "../consumer/completeness/place.ts";
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
import type { Findings } from "./finding.ts";
import { type IndexedEpoch, JournalIndex } from "./journal-index.ts";
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
  /** Records with an event that the journal does not have any more: deleted by retention, or reported as lost. */
  readonly gone: number;
}

interface Waiting extends ReadEvent {
  readonly epoch: IndexedEpoch;
  readonly sequence: number;
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
  readonly #counts = { same: 0, partly: 0, unread: 0, gone: 0 };
  /** True for a topic that keeps only the newest event of each key. */
  keepsKeys = false;
  #source: string | undefined;
  readonly #missing = new Map<IndexedEpoch, NumberSet>();
  #waiting: Waiting[] = [];
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
    return this.#waiting.length >= maxWaiting || this.#waitingBytes >= maxWaitingBytes;
  }

  /** Takes an event; `dataText` is its data as JSON, `place` where it stands. */
  add(event: CertwireEvent, dataText: string, place: string): void {
    // What the CA's database says is not of a journal.
    if (event.origin === "database") return;
    const { epochId, epochNumber, sequence, index } = placeOf(event);
    if (index === foundGapIndex) return;
    if (this.keepsKeys) this.#noteKey(event);
    const epoch = this.#index.epoch(epochId);
    const isThere = epoch?.number === epochNumber && epoch.records.has(sequence);
    if (epoch === undefined || !isThere) {
      if (this.#isGone(epoch, epochNumber, sequence)) this.#counts.gone += 1;
      else {
        const detail = "the journal has no such record";
        this.#findings.add({ kind: "unknown", epochNumber, epochId, sequence, place, detail });
      }
      return;
    }
    const seen = this.#seen.get(epochId) ?? new NumberSet();
    seen.add(sequence);
    this.#seen.set(epochId, seen);
    const { data: _data, ...attributes } = event;
    this.#waiting.push({ epoch, sequence, place, attributes, dataText });
    this.#waitingBytes += dataText.length;
  }

  /** Compares what is waiting. Rejects with CERTWIRE_JOURNAL_UNREADABLE. */
  async compare(signal: AbortSignal): Promise<void> {
    const waiting = this.#waiting.toSorted(
      (a, b) => a.epoch.rank - b.epoch.rank || a.sequence - b.sequence,
    );
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (let next = 0; next < waiting.length && !signal.aborted; ) {
      next = await this.#compareFrom(waiting, next, signal);
    }
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
    const { epochs } = this.#index;
    if (hole.kind === "events") return false;
    if (hole.kind === "epochs") {
      const isOlder = epochs.some(({ number }) => number < hole.from);
      return isOlder && !epochs.some(({ number }) => number >= hole.from && number <= hole.to);
    }
    const epoch = this.#index.epoch(hole.epochId);
    const { first = 0, last = 0 } = epoch?.records ?? {};
    if (epoch === undefined) return false;
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

  /** True for a record that the journal may have had: deleted, damaged, or written after the journal was read. */
  #isGone(epoch: IndexedEpoch | undefined, epochNumber: number, sequence: number): boolean {
    const { epochs } = this.#index;
    const [oldest, newest] = [epochs[0], epochs.at(-1)];
    if (oldest === undefined || newest === undefined) return false;
    if (epoch === undefined) return epochNumber < oldest.number || epochNumber > newest.number;
    if (epoch.number !== epochNumber) return false;
    const { first = 0, last = 0 } = epoch.records;
    if (epoch === oldest && sequence < first) return true;
    if (epoch === newest && sequence > last) return true;
    return epoch.lost.some(({ from, to }) => sequence >= from && sequence <= to);
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
    // The record was there; it is gone since, or its epoch was passed.
    return next === from ? from + 1 : next;
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
      return;
    }
    const { epochNumber, epochId } = frame;
    const { sequence, place } = event;
    const detail = `${match.differs} is not what the record in the journal says`;
    this.#findings.add({ kind: "content", epochNumber, epochId, sequence, place, detail });
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
