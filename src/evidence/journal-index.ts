import { NumberSet } from "../consumer/completeness/number-set.ts";
import { foundGapIndex } from "../consumer/completeness/place.ts";
import { decodeGap } from "../exit/decode-gap.ts";
import type { JournalFrame } from "../journal/frame.ts";
import type { JournalPosition } from "../journal/position.ts";
import { listSegments, startOf } from "../journal/segments.ts";
import { WholeJournal } from "../journal/whole-journal.ts";
import type { JournalFinding } from "../journal-tools/verify-journal.ts";
import { decodeContent } from "../sources/decode-frame.ts";

/** Frames between two places that are kept. */
export const placeInterval = 512;

/** A place of a journal from which reading can start. */
interface StartPlace {
  /** Number of the frame after it. */
  readonly sequence: number;
  readonly position: JournalPosition;
}

/** The records of an epoch in a journal. */
export interface IndexedEpoch {
  readonly id: string;
  readonly number: number;
  /** Place in the order of the journal, from 0. */
  readonly rank: number;
  readonly records: NumberSet;
  /** Those that this version cannot decode, and makes no events of. */
  readonly undecodable: NumberSet;
  /** Numbers that a gap of the reader says are lost; without `to` up to the end. */
  readonly lost: { readonly from: number; readonly to: number }[];
  readonly places: StartPlace[];
}

/** Which records a journal has, and where. */
export class JournalIndex {
  readonly #directory: string;
  readonly #starts = new Map<string, JournalPosition>();
  readonly #epochs = new Map<string, IndexedEpoch>();
  #previous: JournalPosition | undefined;
  #sincePlace = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** In the order of the journal. */
  get epochs(): IndexedEpoch[] {
    return [...this.#epochs.values()];
  }

  epoch(id: string): IndexedEpoch | undefined {
    return this.#epochs.get(id);
  }

  /** Must be called before the first frames are added. Rejects with CERTWIRE_JOURNAL_UNREADABLE. */
  async open(): Promise<void> {
    for (const segment of await listSegments(this.#directory)) {
      const { epochId } = segment;
      if (!this.#starts.has(epochId)) this.#starts.set(epochId, startOf(segment));
    }
  }

  /** Takes a frame, in the order of the journal, with what was found in it. */
  add(frame: JournalFrame, findings: readonly JournalFinding[]): void {
    this.#add(
      frame,
      findings.some(({ kind }) => kind === "undecodable"),
    );
  }

  /** Adds what was recorded since, up to the current end. Rejects with CERTWIRE_JOURNAL_UNREADABLE. */
  async readOn(signal: AbortSignal): Promise<void> {
    await this.open();
    const journal = new WholeJournal(this.#directory, this.#previous ?? null);
    try {
      for await (const frames of journal.chunks(signal)) {
        for (const frame of frames) this.#add(frame, "undecodable" in decodeContent(frame));
      }
    } finally {
      journal.close();
    }
  }

  #add(frame: JournalFrame, isUndecodable: boolean): void {
    const epoch = this.#epochs.get(frame.epochId) ?? this.#begin(frame);
    const sequence = Number(frame.sequence);
    if (frame.index === foundGapIndex) {
      const { firstSequence = sequence, lastSequence } = decodeGap(frame.payload);
      const to = lastSequence === undefined ? Number.POSITIVE_INFINITY : Number(lastSequence);
      epoch.lost.push({ from: Number(firstSequence), to });
      return;
    }
    this.#keepPlace(epoch, sequence);
    epoch.records.add(sequence);
    if (isUndecodable) epoch.undecodable.add(sequence);
    this.#previous = frame.position;
  }

  /** Where to start to read a record; `undefined` for an epoch that is not there. */
  placeBefore(id: string, sequence: number): JournalPosition | undefined {
    const places = this.#epochs.get(id)?.places ?? [];
    let [low, high] = [0, places.length];
    while (low + 1 < high) {
      const middle = (low + high) >> 1;
      if ((places[middle]?.sequence ?? 0) <= sequence) low = middle;
      else high = middle;
    }
    return places[low]?.position;
  }

  #begin({ epochId: id, epochNumber: number }: JournalFrame): IndexedEpoch {
    const rank = this.#epochs.size;
    const epoch = {
      id,
      number,
      rank,
      records: new NumberSet(),
      undecodable: new NumberSet(),
      lost: [],
      places: [],
    };
    this.#epochs.set(id, epoch);
    this.#previous = this.#starts.get(id);
    this.#sincePlace = placeInterval;
    return epoch;
  }

  #keepPlace(epoch: IndexedEpoch, sequence: number): void {
    this.#sincePlace += 1;
    if (this.#sincePlace < placeInterval || this.#previous?.epochId !== epoch.id) return;
    epoch.places.push({ sequence, position: this.#previous });
    this.#sincePlace = 0;
  }
}
