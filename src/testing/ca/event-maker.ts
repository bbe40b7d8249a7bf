import { hash } from "node:crypto";
import { foundGapIndex } from "../../consumer/completeness/place.ts";
import { buildEvents } from "../../events/build-events.ts";
import { CaIdentity } from "../../events/ca-identity.ts";
import type { EventOptions } from "../../events/envelope.ts";
import type { CertwireEvent } from "../../events/event.ts";
import { findingEvent, type ReportedFinding } from "../../events/finding-event.ts";
import { gapEvent } from "../../events/gap-event.ts";
import { rowFacts, type ScannedFact } from "../../events/row-events.ts";
import { chainLink, chainStart } from "../../journal/chain.ts";
import { type Frame, frameTypes } from "../../journal/frame.ts";
import type { SimulatedEvent } from "../../native/addon.ts";
import { type RequestRow, rowContent } from "../../simulate/request-row.ts";
import { collectRecord } from "./collected-record.ts";
import type { LostRecords } from "./lost-records.ts";

/** Version of the records that this code makes. */
const schema = 1;

/** Between the epoch of Windows, 1601-01-01, and that of Unix, in ms. */
const filetimeOffsetMs = 11_644_473_600_000;

/** Sequence number of the frame that begins an epoch; the first record has the next one. */
const epochSequence = 1n;

/** How long the journal takes to record an event, in 100 ns. */
const recordingTime = 5_000n;

/** Makes the events of a CA as exit module, journal and service do; its journal exists in memory only. */
export class EventMaker {
  readonly #caName: string;
  readonly #seed: string;
  readonly #options: EventOptions;
  readonly #identity = new CaIdentity();
  #epochNumber = 0;
  #sequence = epochSequence;
  /** Chain value of the newest record. */
  #chain = "";

  /** `seed`: the ids of the journal follow from it. */
  constructor(caName: string, seed: string, options: EventOptions) {
    this.#caName = caName;
    this.#seed = seed;
    this.#options = options;
  }

  /** Begins a new epoch, as each start of the CA does. */
  beginEpoch(): void {
    this.#epochNumber += 1;
    this.#sequence = epochSequence;
    this.#chain = chainStart(this.#id(`epoch/${this.#epochNumber}`), this.#epochNumber);
  }

  /** The events of one call of Notify at a given time, at least one. */
  events(served: SimulatedEvent, now: Date): CertwireEvent[] {
    const record = collectRecord(served, this.#caName, filetimeOf(now));
    return owned(buildEvents(this.#nextFrame(now), record, this.#identity, this.#options));
  }

  /**
   * The events that a call of Notify would have had, if its record were not lost. The ids of those that are never
   * written are of no other event.
   */
  lostEvents(served: SimulatedEvent, now: Date, lost: LostRecords): CertwireEvent[] {
    const record = collectRecord(served, this.#caName, filetimeOf(now));
    const frame = lost.areWritten ? this.#nextFrame(now) : this.#frameOfNoJournal(now, lost);
    lost.add({ sequence: frame.sequence, time: frame.time, context: served.context });
    // The service never sees this record, so it remembers nothing of it.
    return owned(buildEvents(frame, record, new CaIdentity(), this.#options));
  }

  /** The event of a loss that ends now; `undefined` if nothing was lost. */
  gapEvent(lost: LostRecords, now: Date): CertwireEvent | undefined {
    const gap = lost.gap();
    if (gap === undefined) return undefined;
    const { firstSequence } = gap;
    const frame =
      firstSequence === undefined
        ? this.#nextFrame(now, frameTypes.gap)
        : this.#frame(now, {
            type: frameTypes.gap,
            sequence: BigInt(firstSequence),
            index: foundGapIndex,
          });
    return gapEvent(frame, gap, this.#identity.resolve(frame).id, this.#options);
  }

  /** The event of a finding of the scheduled comparison. */
  findingEvent(report: ReportedFinding): CertwireEvent {
    const { source, typePrefix, replayed } = this.#options;
    return findingEvent(report, {
      ...(source !== undefined && { source }),
      ...(typePrefix !== undefined && { typePrefix }),
      ...(replayed !== undefined && { replayed }),
    });
  }

  /** What the CA's database says has happened to a request, in that order. */
  factsOf(row: RequestRow, now: Date): readonly ScannedFact[] {
    const served = { event: 0, context: row.requestId, ...rowContent(row) };
    return rowFacts(collectRecord(served, this.#caName, filetimeOf(now)));
  }

  #nextFrame(now: Date, type: number = frameTypes.event): Frame {
    this.#sequence += 1n;
    const frame = this.#chained(this.#frame(now, { type, sequence: this.#sequence, index: 0 }));
    this.#chain = frame.hashes.record;
    return frame;
  }

  /** The frame after the newest record. Its payload, which is empty here, counts as in a journal. */
  #chained(frame: Frame) {
    return { ...frame, hashes: { previous: this.#chain, record: chainLink(this.#chain, frame) } };
  }

  #frameOfNoJournal(now: Date, lost: LostRecords): Frame {
    const sequence = this.#sequence + BigInt(lost.count) + 1n;
    const frame = this.#frame(now, { type: frameTypes.event, sequence, index: 0 });
    const epochId = this.#id(`lost/${this.#epochNumber}/${this.#sequence}`);
    return this.#chained({ ...frame, epochId });
  }

  #frame(now: Date, place: Pick<Frame, "type" | "sequence" | "index">): Frame {
    return {
      ...place,
      schema,
      epochNumber: this.#epochNumber,
      epochId: this.#id(`epoch/${this.#epochNumber}`),
      time: filetimeOf(now) + recordingTime,
      payload: Buffer.alloc(0),
    };
  }

  #id(label: string): string {
    return hash("sha256", `${this.#seed}/${label}`).slice(0, 32);
  }
}

/** Events share values, which are frozen; a test may change its own. */
function owned(events: CertwireEvent[]): CertwireEvent[] {
  return structuredClone(events);
}

/** 100 ns since 1601-01-01 UTC. */
function filetimeOf(time: Date): bigint {
  return BigInt(time.getTime() + filetimeOffsetMs) * 10_000n;
}
