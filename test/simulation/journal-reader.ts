import { frameTypes } from "../../src/journal/frame.ts";
import { tableStride } from "../../src/journal/journal-reader.ts";
import type {
  NativeBatch,
  NativeJournalReader,
  NativePosition,
  NativeReaderOptions,
  NativeReaderStats,
  NativeWriterTimes,
} from "../../src/native/addon.ts";
import {
  cbor,
  filetimeOf,
  headerBytes,
  type JournalModel,
  type ModelEpoch,
  type ModelFrame,
  type ModelSegment,
  unmarkedAfterMs,
} from "./journal.ts";
import { timeOfDay, world } from "./world.ts";

/** Index of a gap that a reader found. */
const foundGapIndex = 65_535;
/** A frame on its way to the service. */
interface OutFrame {
  readonly type: number;
  readonly schema: number;
  readonly index: number;
  readonly epoch: ModelEpoch;
  readonly sequence: number;
  readonly time: bigint;
  readonly payload: Buffer;
  readonly place: { readonly segment: number; readonly offset: number; readonly sequence: number };
}

/** In the place of the addon's reader. */
export class SimulatedReader implements NativeJournalReader {
  readonly #options: NativeReaderOptions;
  readonly #model: JournalModel;
  #epoch: ModelEpoch | undefined;
  #segment: ModelSegment | undefined;
  /** Frames of the segment that were returned. */
  #next = 0;
  #last = 0;
  #isFinished = false;
  #isPlaced = false;
  #isAtEnd = false;
  #firstSeen = new Map<ModelFrame, number>();
  /** When the next frame may be returned, in ms of virtual time; `undefined` if there was none at the last read. */
  protected nextFrameAt: number | undefined;
  readonly #stats: NativeReaderStats = {
    framesRead: 0,
    gapsFound: 0,
    unmarkedFrames: 0,
    quarantinedRanges: 0,
    damagedRanges: 0,
    positionLost: false,
    brokenLinks: 0,
    brokenEpoch: 0,
    brokenSequence: 0n,
  };

  constructor(options: NativeReaderOptions) {
    this.#options = options;
    this.#model = world().journal;
  }

  read(): Promise<NativeBatch | null> {
    return world().disk.io("read", () => this.#read());
  }

  atEnd(): boolean {
    return this.#isAtEnd;
  }

  stats(): NativeReaderStats {
    return { ...this.#stats };
  }

  /** The simulated writer measures nothing. */
  writerTimes(): NativeWriterTimes {
    return { append: [], write: [], flush: [] };
  }

  close(): void {
    this.#segment = undefined;
  }

  #read(): NativeBatch | null {
    const out: OutFrame[] = [];
    let bytes = 0;
    this.nextFrameAt = undefined;
    while (out.length < this.#options.maxBatchFrames) {
      const frame = this.#take();
      if (frame === undefined) break;
      out.push(frame);
      bytes += frame.payload.length;
      if (bytes >= this.#options.maxBatchBytes) break;
    }
    this.#stats.framesRead += out.length;
    this.#isAtEnd = out.length === 0;
    return out.length === 0 ? null : batchOf(out);
  }

  #take(): OutFrame | undefined {
    if (!this.#isPlaced) {
      const gap = this.#place();
      if (gap !== undefined) return gap;
      if (!this.#isPlaced) return undefined;
    }
    for (;;) {
      const segment = this.#segment;
      const epoch = this.#epoch;
      if (epoch === undefined) return undefined;
      const frame = this.#isFinished ? undefined : segment?.frames[this.#next];
      if (segment !== undefined && frame !== undefined) {
        if (!this.#mayReturn(frame, epoch)) return undefined;
        return this.#pass(epoch, segment, frame);
      }
      const moved = this.#isFinished ? this.#nextEpoch(epoch) : this.#nextSegment(epoch, segment);
      if (moved === "stay") return undefined;
      if (moved !== "moved") return moved;
    }
  }

  #pass(epoch: ModelEpoch, segment: ModelSegment, frame: ModelFrame): OutFrame {
    this.#firstSeen.delete(frame);
    this.#next += 1;
    this.#last = frame.sequence;
    const place = { segment: segment.index, offset: frame.end, sequence: frame.sequence };
    const { type, sequence, time, payload } = frame;
    const schema = this.#model.newer.has(frame) ? 2 : 1;
    return { type, schema, index: 0, epoch, sequence, time, payload, place };
  }

  #mayReturn(frame: ModelFrame, epoch: ModelEpoch): boolean {
    const { now } = world().scheduler;
    this.nextFrameAt = frame.visibleAt;
    if (frame.visibleAt > now) return false;
    const isLive = epoch === this.#model.epochs().at(-1) && !epoch.isSealed;
    if (!isLive || this.#options.mode === "committed" || frame.durableAt <= now) return true;
    const seenAt = this.#firstSeen.get(frame) ?? now;
    this.#firstSeen.set(frame, seenAt);
    this.nextFrameAt = Math.min(frame.durableAt, seenAt + unmarkedAfterMs);
    if (now - seenAt < unmarkedAfterMs) return false;
    this.#stats.unmarkedFrames += 1;
    return true;
  }

  /** Goes on to the next segment of the epoch, or finishes the epoch if it has ended. */
  #nextSegment(epoch: ModelEpoch, segment: ModelSegment | undefined): OutFrame | "moved" | "stay" {
    const later = epoch.segments.find(
      (each) => !each.isDeleted && each.index > (segment?.index ?? -1),
    );
    if (later !== undefined) {
      const missing = later.firstSequence > this.#last + 1;
      const first = this.#last + 1;
      this.#enter(epoch, later);
      if (!missing) return "moved";
      return this.#gap(epoch, "missing-segment", first, later.firstSequence - 1, startOf(later));
    }
    if (this.#following(epoch) === undefined) return "stay";
    this.#isFinished = true;
    if (epoch.isSealed) return "moved";
    const place = { segment: segment?.index ?? 0, offset: 0, sequence: this.#last };
    return this.#gap(epoch, "unclean-stop", this.#last + 1, undefined, place);
  }

  #nextEpoch(epoch: ModelEpoch): OutFrame | "moved" | "stay" {
    const next = this.#following(epoch);
    if (next === undefined) return "stay";
    const [first] = next.segments.filter((each) => !each.isDeleted);
    if (first === undefined) return "stay";
    this.#enter(next, first);
    if (first.index === 0) return "moved";
    return this.#gap(next, "missing-segment", 1, first.firstSequence - 1, startOf(first));
  }

  #following(epoch: ModelEpoch): ModelEpoch | undefined {
    return this.#model
      .epochs()
      .find(
        (each) => each.number > epoch.number && each.segments.some((segment) => !segment.isDeleted),
      );
  }

  #enter(epoch: ModelEpoch, segment: ModelSegment): void {
    this.#epoch = epoch;
    this.#segment = segment;
    this.#next = 0;
    this.#last = segment.firstSequence - 1;
    this.#isFinished = false;
    this.#isPlaced = true;
  }

  /** Finds the position, and a gap if something is missing there; does nothing while the journal is empty. */
  #place(): OutFrame | undefined {
    const [oldest] = this.#model.segments();
    const { position } = this.#options;
    if (position === null) {
      if (oldest !== undefined) this.#enter(oldest.epoch, oldest);
      return undefined;
    }
    const epoch = this.#model.epochs().find(({ id }) => id === position.epochId);
    const present = epoch?.segments.filter((each) => !each.isDeleted) ?? [];
    if (epoch === undefined || present.length === 0) return this.#placeWithout(position, oldest);
    if (position.offset === 0) {
      this.#enter(epoch, present.at(-1)!);
      [this.#last, this.#isFinished] = [Number(position.sequence), true];
      return undefined;
    }
    const own = present.find(({ index }) => index === position.segment);
    if (own !== undefined) {
      this.#enter(epoch, own);
      this.#next = own.frames.filter(({ end }) => end <= position.offset).length;
      this.#last = Number(position.sequence);
      return undefined;
    }
    const later = present.find(({ index }) => index > position.segment);
    if (later === undefined) throw new Error("the simulated journal was put back");
    this.#stats.positionLost = true;
    const first = Number(position.sequence) + 1;
    this.#enter(epoch, later);
    const isOldest = later === oldest;
    if (later.firstSequence <= first) return undefined;
    const reason = isOldest ? "retention" : "missing-segment";
    return this.#gap(epoch, reason, first, later.firstSequence - 1, startOf(later));
  }

  /** The epoch of the position is not there. */
  #placeWithout(position: NativePosition, oldest: ModelSegment | undefined): OutFrame | undefined {
    if (oldest === undefined) return undefined;
    this.#enter(oldest.epoch, oldest);
    const isDone = position.offset === 0 && oldest.index === 0;
    if (isDone && oldest.epoch.previousId === position.epochId) return undefined;
    this.#stats.positionLost = true;
    const epoch = this.#model.epochs().find(({ id }) => id === position.epochId);
    const from = Number(position.sequence) + 1;
    const place = { segment: position.segment, offset: position.offset, sequence: from - 1 };
    const gap = this.#gap(epoch ?? oldest.epoch, "retention", from, undefined, place);
    const to = this.#model.ordinalAt(oldest.epoch.id, oldest.firstSequence);
    this.#covers(gap, this.#model.ordinalAt(position.epochId, from), to);
    return gap;
  }

  #gap(
    epoch: ModelEpoch,
    reason: string,
    first: number,
    last: number | undefined,
    place: OutFrame["place"],
  ): OutFrame {
    this.#stats.gapsFound += 1;
    const payload = cbor({
      reason,
      firstSequence: first,
      ...(last !== undefined && { lastSequence: last, count: last - first + 1 }),
    });
    const time = filetimeOf(timeOfDay(world()));
    const type = frameTypes.gap;
    const [schema, index] = [1, foundGapIndex];
    const gap = { type, schema, index, epoch, sequence: first, time, payload, place };
    if (last !== undefined) {
      const from = this.#model.ordinalAt(epoch.id, first);
      this.#covers(gap, from, this.#model.ordinalAt(epoch.id, last + 1));
    }
    return gap;
  }

  #covers({ epoch, sequence, index }: OutFrame, from: number, to: number): void {
    const id = `${epoch.id}-${sequence}-${index}`;
    this.#model.gaps.set(id, [...(this.#model.gaps.get(id) ?? []), [from, to]]);
  }
}

function startOf(segment: ModelSegment): OutFrame["place"] {
  const sequence = segment.firstSequence - 1;
  return { segment: segment.index, offset: headerBytes, sequence };
}

function batchOf(frames: readonly OutFrame[]): NativeBatch {
  const epochIds: string[] = [];
  const parts: Buffer[] = [];
  const table = new BigUint64Array(frames.length * tableStride);
  // Two halves of each number, which for most of them takes no BigInt.
  const halves = new Uint32Array(table.buffer);
  const put = (column: number, value: number): void => {
    halves[2 * column] = value;
    halves[2 * column + 1] = value / 2 ** 32;
  };
  let at = 0;
  for (const [row, frame] of frames.entries()) {
    const { epoch, payload, place, time } = frame;
    let epochRow = epochIds.indexOf(epoch.id);
    if (epochRow === -1) epochRow = epochIds.push(epoch.id) - 1;
    if (frame.index !== foundGapIndex) {
      parts.push(noHashes);
      at += noHashes.length;
    }
    parts.push(payload);
    const first = row * tableStride;
    put(first, frame.type);
    put(first + 1, frame.schema);
    put(first + 2, frame.index);
    put(first + 3, epoch.number);
    put(first + 4, epochRow);
    put(first + 5, frame.sequence);
    table[first + 6] = time;
    put(first + 7, at);
    put(first + 8, payload.length);
    put(first + 9, place.segment);
    put(first + 10, place.offset);
    at += payload.length;
  }
  return { buffer: Buffer.concat(parts), table, epochIds };
}

/** In the place of the chain values. */
const noHashes = Buffer.alloc(64);
