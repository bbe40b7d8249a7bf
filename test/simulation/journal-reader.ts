import { frameTypes } from "../../src/journal/frame.ts";
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
import { batchOf, foundGapIndex, type OutFrame } from "./journal-batch.ts";
import { timeOfDay, world } from "./world.ts";

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
  /** Nothing was read since the start position: the number of the next frame is right, whatever it is. */
  #isAtStart = false;
  /** A frame of this epoch was read, also the epoch's own. */
  #hasRead = false;
  /** Where the reader was put, to see if frames are there no more. */
  #startOffset = 0;
  #isPlaced = false;
  #isAhead = false;
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
    if (out.length > 0) this.#goAhead(out);
    this.#stats.framesRead += out.length;
    this.#isAtEnd = out.length === 0;
    return out.length === 0 ? null : batchOf(out);
  }

  #take(): OutFrame | undefined {
    if (!this.#isPlaced) {
      const gap = this.#place(this.#options.position);
      if (gap !== undefined) return gap;
      if (!this.#isPlaced) return undefined;
    }
    for (;;) {
      const segment = this.#segment;
      const epoch = this.#epoch;
      if (epoch === undefined) return undefined;
      const frame = this.#isFinished ? undefined : this.#soundFrame(segment);
      if (segment !== undefined && frame !== undefined) {
        if (!this.#mayReturn(frame, epoch)) return undefined;
        return this.#holeBefore(frame, segment, epoch) ?? this.#pass(epoch, segment, frame);
      }
      const moved = this.#leave(epoch, segment);
      if (moved === "stay") return undefined;
      if (moved !== "moved") return moved;
    }
  }

  /**
   * Goes to the next frame, whose file it then has open: only there the reader finds that the batch is full. For the gap of
   * an epoch that is not there any more there is always space.
   */
  #goAhead(out: OutFrame[]): void {
    for (let moved: OutFrame | "moved" | "stay" = "moved"; moved === "moved"; ) {
      const [epoch, segment] = [this.#epoch, this.#segment];
      if (epoch === undefined || (!this.#isFinished && this.#soundFrame(segment))) return;
      const before = this.#save();
      this.#isAhead = epoch.segments.some(({ isDeleted }) => !isDeleted);
      moved = this.#leave(epoch, segment);
      if (typeof moved === "object" && this.#isAhead) before();
      if (typeof moved === "object" && !this.#isAhead) {
        out.push(moved);
        moved = "moved";
      }
      this.#isAhead = false;
    }
  }

  /** Returns what puts the reader back to its place now. */
  #save(): () => void {
    const [epoch, segment, next, last] = [this.#epoch, this.#segment, this.#next, this.#last];
    const flags = [this.#isFinished, this.#isAtStart, this.#hasRead] as const;
    const [startOffset, positionLost] = [this.#startOffset, this.#stats.positionLost];
    return () => {
      [this.#epoch, this.#segment, this.#next, this.#last] = [epoch, segment, next, last];
      [this.#isFinished, this.#isAtStart, this.#hasRead] = flags;
      this.#startOffset = startOffset;
      this.#stats.positionLost = positionLost;
    };
  }

  /** The next frame, after torn ones if a sound one follows them in the segment. */
  #soundFrame(segment: ModelSegment | undefined): ModelFrame | undefined {
    const frame = segment?.frames[this.#next];
    if (segment === undefined || frame?.torn === undefined) return frame;
    if (segment.epoch.segments.every(({ isDeleted }) => isDeleted)) return undefined;
    const found = segment.frames.findIndex(
      (each, at) => at > this.#next && each.torn === undefined,
    );
    if (found === -1) return undefined;
    this.#next = found;
    this.#isAtStart = false;
    this.#stats.quarantinedRanges += 1;
    this.#stats.damagedRanges += 1;
    return segment.frames[found];
  }

  /** The gap of the torn frames before a frame. */
  #holeBefore(frame: ModelFrame, segment: ModelSegment, epoch: ModelEpoch): OutFrame | undefined {
    const [first, last] = [this.#last + 1, frame.sequence - 1];
    if (this.#isAtStart || last < first) return undefined;
    this.#last = last;
    const offset = segment.frames[this.#next - 1]?.end ?? headerBytes;
    const place = { segment: segment.index, offset, sequence: last };
    return this.#gap(epoch, "corrupt", first, last, place);
  }

  #pass(epoch: ModelEpoch, segment: ModelSegment, frame: ModelFrame): OutFrame {
    this.#firstSeen.delete(frame);
    this.#next += 1;
    this.#last = frame.sequence;
    this.#isAtStart = false;
    this.#hasRead = true;
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

  /** Goes on to the next segment, or epoch. */
  #leave(epoch: ModelEpoch, segment: ModelSegment | undefined): OutFrame | "moved" | "stay" {
    if (epoch.segments.some(({ isDeleted }) => !isDeleted)) {
      return this.#isFinished ? this.#nextEpoch(epoch) : this.#nextSegment(epoch, segment);
    }
    if (this.#model.segments().length === 0) return "stay";
    // The epoch was deleted while the reader was in it: as at a start at a position that is not there.
    const offset = this.#isFinished ? 0 : (segment?.frames[this.#next - 1]?.end ?? headerBytes);
    const isSealRead = !this.#isFinished && epoch.isSealed && segment === epoch.segments.at(-1);
    return (
      this.#place({
        epochId: epoch.id,
        epochNumber: epoch.number,
        segment: segment?.index ?? 0,
        offset,
        sequence: BigInt(this.#last + (isSealRead ? 1 : 0)),
      }) ?? "moved"
    );
  }

  /** Goes on to the next segment of the epoch, or finishes the epoch if it has ended. */
  #nextSegment(epoch: ModelEpoch, segment: ModelSegment | undefined): OutFrame | "moved" | "stay" {
    const later = epoch.segments.find(
      (each) => !each.isDeleted && each.index > (segment?.index ?? -1),
    );
    if (later === undefined) return this.#finish(epoch, segment);
    const first = this.#last + 1;
    const missing = later.firstSequence > first;
    const reason = later.index === (segment?.index ?? -1) + 1 ? "corrupt" : "missing-segment";
    this.#enter(epoch, later);
    if (!missing) return "moved";
    return this.#gap(epoch, reason, first, later.firstSequence - 1, startOf(later));
  }

  #finish(epoch: ModelEpoch, segment: ModelSegment | undefined): OutFrame | "moved" | "stay" {
    const next = this.#following(epoch);
    if (next === undefined) return "stay";
    if (segment?.frames[this.#next]?.torn) this.#stats.quarantinedRanges += 1;
    this.#isFinished = true;
    if (epoch.isSealed) return "moved";
    const isShorter = !this.#hasRead && segment !== undefined && this.#readBefore(segment);
    const done = { segment: (segment?.index ?? 0) + 1, offset: 0, sequence: this.#last };
    const reason = isShorter ? "rollback" : "unclean-stop";
    return this.#gap(epoch, reason, this.#last + 1, undefined, done);
  }

  /**
   * Nothing was read since the start position: the frames before it say how the epoch ended. True if the file ends before
   * that position.
   */
  #readBefore(segment: ModelSegment): boolean {
    const before = segment.frames.filter(({ end }) => end <= this.#startOffset);
    const tail = before.findLast(({ torn }) => torn !== "header")?.end ?? headerBytes;
    if (tail < this.#startOffset) return true;
    const sound = before.findLast(({ torn }) => torn === undefined)?.sequence;
    this.#last = sound ?? lastBefore(segment);
    return false;
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
    // The first frame is the epoch's own.
    this.#hasRead = segment.index === 0;
    this.#last = lastBefore(segment);
    [this.#isFinished, this.#isAtStart, this.#startOffset] = [false, false, 0];
    this.#isPlaced = true;
  }

  /** Finds the position, and a gap if something is missing there; does nothing while the journal is empty. */
  #place(position: NativePosition | null): OutFrame | undefined {
    const [oldest] = this.#model.segments();
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
      [this.#isAtStart, this.#hasRead, this.#startOffset] = [true, false, position.offset];
      return undefined;
    }
    const later = present.find(({ index }) => index > position.segment);
    if (later === undefined) throw new Error("the simulated journal was put back");
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
    if (!this.#isAhead) this.#stats.gapsFound += 1;
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
    if (this.#isAhead) return;
    const id = `${epoch.id}-${sequence}-${index}`;
    this.#model.gaps.set(id, [...(this.#model.gaps.get(id) ?? []), [from, to]]);
  }
}

/** The last number before the frames of a segment that are returned. */
function lastBefore({ index, firstSequence }: ModelSegment): number {
  return index === 0 ? firstSequence : firstSequence - 1;
}

function startOf(segment: ModelSegment): OutFrame["place"] {
  const sequence = segment.firstSequence - 1;
  return { segment: segment.index, offset: headerBytes, sequence };
}
