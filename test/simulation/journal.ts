import { encode, rfc8949EncodeOptions } from "cborg";
import { frameTypes } from "../../src/journal/frame.ts";
import type { NativeSegment } from "../../src/native/addon.ts";
import type { Disk } from "./disk.ts";
import { systemError } from "./disk.ts";
import type { SimulatedProcess } from "./scheduler.ts";
import type { Tail } from "./tailing-reader.ts";
import { timeOfDay, type World } from "./world.ts";

/** Where the journal is on the simulated disk. */
export const journalDirectory = "/journal";
/** Locked while the exit module runs. */
const writerLock = `${journalDirectory}/writer.lock`;

export const headerBytes = 4096;
/** A frame that no MARK covers is returned after this time, in ms. */
export const unmarkedAfterMs = 2000;

/** A record as the writer was given it. */
export interface JournalRecord {
  /** Its place in the order of all records of the simulation, from 0. */
  readonly ordinal: number;
  readonly id: string;
  /** What orders it with others; `undefined` for one that belongs to no request. */
  readonly requestId: number | undefined;
  /** When it was written, in ms of virtual time. */
  readonly writtenAt: number;
  /** Why a sink may make a dead letter of it; `undefined` for one that every destination accepts. */
  readonly flaw: "undecodable" | undefined;
  readonly epochId: string;
  readonly sequence: number;
}

export interface ModelFrame {
  readonly type: number;
  readonly sequence: number;
  readonly time: bigint;
  readonly payload: Buffer;
  readonly end: number;
  /** When readers can see it, and when a MARK covers it, in ms of virtual time. */
  readonly visibleAt: number;
  readonly durableAt: number;
  readonly record: JournalRecord | undefined;
  /** What did not reach the disk, so that it does not verify: its payload, or also its header. */
  torn: "payload" | "header" | undefined;
}

export interface ModelSegment {
  readonly epoch: ModelEpoch;
  readonly index: number;
  readonly name: string;
  readonly firstSequence: number;
  readonly startedMs: number;
  readonly frames: ModelFrame[];
  isDeleted: boolean;
}

export interface ModelEpoch {
  readonly number: number;
  readonly id: string;
  readonly previousId: string | undefined;
  readonly segments: ModelSegment[];
  /** Ordinal of its first record. */
  readonly firstOrdinal: number;
  nextSequence: number;
  isSealed: boolean;
}

/** How the writer lays out the journal. */
export interface WriterLimits {
  /** Bytes that each segment counts, however little is in it. */
  readonly segmentBytes: number;
  readonly framesInSegment: number;
  readonly maxJournalBytes: number;
  /** Free space that the writer leaves on the volume. */
  readonly minFreeBytes: number;
}

/**
 * The journal as docs/reference/journal-format.md has it, at the level of frames: epochs with and without a seal, segments
 * that are deleted under a reader or for ever, frames that are seen late or covered late, or torn by a power cut, and a
 * writer that drops what its limit leaves no space for and says so.
 */
export class JournalModel {
  readonly #disk: Disk;
  readonly #world: () => World;
  readonly limits: WriterLimits;
  readonly #epochs: ModelEpoch[] = [];
  /** Every record that readers were ever to see. */
  readonly records: JournalRecord[] = [];
  /** What a gap stands for, by the id of its event: ordinals of records, from and to, exclusive. */
  readonly gaps = new Map<string, (readonly [from: number, to: number])[]>();
  /** Ids of the gaps that the writer recorded. */
  readonly writerGaps: string[] = [];
  #dropped = 0;
  /** When the first and the newest record were dropped since the last one that found space, in ms of virtual time. */
  dropping: { readonly since: number; newest: number } | undefined;
  /** Frames of an exit module that is newer than the service. */
  readonly newer = new Set<ModelFrame>();
  /** Readers that wait for a frame. */
  readonly tails = new Set<Tail>();
  /** Releases the lock of the exit module that runs. */
  #release: (() => void) | undefined;
  #isRolling = false;
  /** Longest time until a frame is seen, and until a MARK covers it, in ms. */
  lateMs = { seen: 3, covered: 60 };

  constructor(disk: Disk, current: () => World, limits: WriterLimits) {
    this.#disk = disk;
    this.#world = current;
    this.limits = limits;
    disk.prepare(journalDirectory);
  }

  get isRunning(): boolean {
    return this.#release !== undefined;
  }

  /** The frame that was appended last to the newest segment. */
  get newest(): ModelFrame | undefined {
    return this.#epochs.at(-1)?.segments.at(-1)?.frames.at(-1);
  }

  /** The readers of a process that was killed wait for nothing any more. */
  killed(process: SimulatedProcess): void {
    for (const tail of this.tails) if (tail.process === process) this.tails.delete(tail);
  }

  /** The readers of a process that is to stop wait no longer. */
  stopped(process: SimulatedProcess): void {
    for (const tail of this.tails) if (tail.process === process) tail.stop();
  }

  /** Bytes of all segments. */
  get bytes(): number {
    return this.#present().length * this.limits.segmentBytes;
  }

  /** The CA starts: a new epoch begins. */
  start(): void {
    if (this.isRunning) return;
    const { random } = this.#world();
    const last = this.#epochs.at(-1);
    this.#epochs.push({
      number: (last?.number ?? 0) + 1,
      id: random.hex(32),
      previousId: last?.id,
      segments: [],
      firstOrdinal: this.records.length,
      // The first is that of the frame of the epoch itself.
      nextSequence: 2,
      isSealed: false,
    });
    this.#release = this.#disk.hold(writerLock);
    this.record("startup");
    for (const tail of this.tails) tail.ended();
  }

  /** The CA stops and seals its epoch. */
  stop(): void {
    const epoch = this.#epochs.at(-1);
    if (!this.isRunning || epoch === undefined) return;
    // What waits for space is lost with the process: an epoch with losses that are not recorded has no seal.
    epoch.isSealed = this.#dropped === 0;
    if (epoch.isSealed) epoch.nextSequence += 1;
    this.#end();
    for (const tail of this.tails) tail.ended();
  }

  /** The CA is killed: what nobody could see yet is lost. After a power cut, so is any part of what was not flushed. */
  kill(losesPower: boolean): void {
    const { scheduler, random } = this.#world();
    const { now } = scheduler;
    const segment = this.#epochs.at(-1)?.segments.at(-1);
    if (!this.isRunning || segment === undefined) return;
    const first = segment.frames.findIndex(({ visibleAt }) => visibleAt > now);
    if (first !== -1) this.#lose(segment.frames.splice(first));
    // Sometimes all that follows the first of them.
    const share = random.chance(0.5) ? 1 : 0.5;
    this.#end();
    if (!losesPower) return;
    const isLost = ({ durableAt }: ModelFrame): boolean => durableAt > now && random.chance(share);
    const part = () => (random.chance(0.5) ? "payload" : "header");
    this.tear((frame) => (isLost(frame) ? part() : undefined));
  }

  #end(): void {
    this.#dropped = 0;
    this.#release?.();
    this.#release = undefined;
  }

  /** Of some frames in the newest segment, whose writer has ended, only parts are on disk. */
  tear(tornPart: (frame: ModelFrame) => ModelFrame["torn"]): void {
    const frames = this.#epochs.at(-1)?.segments.at(-1)?.frames ?? [];
    for (const frame of frames)
      frame.torn = frame.torn === "header" ? "header" : (tornPart(frame) ?? frame.torn);
    this.#lose(frames.filter(({ torn }) => torn !== undefined));
  }

  #lose(frames: readonly ModelFrame[]): void {
    for (const { record } of frames) {
      if (record !== undefined) this.records[record.ordinal] = { ...record, writtenAt: Infinity };
    }
  }

  /** The next frame begins a segment. */
  roll(): void {
    this.#isRolling = true;
  }

  /** The writer records an event. */
  record(
    kind: "startup" | "request" | "undecodable" | "newer",
    requestId?: number,
    bytes = 0,
  ): void {
    const epoch = this.#epochs.at(-1);
    if (!this.isRunning || epoch === undefined) return;
    const segment = this.#space(epoch);
    if (segment === undefined) {
      this.#dropped += 1;
      const { now } = this.#world().scheduler;
      this.dropping = { since: this.dropping?.since ?? now, newest: now };
      return;
    }
    this.dropping = undefined;
    if (this.#dropped > 0) this.#recordLoss(epoch, segment);
    const sequence = epoch.nextSequence;
    const record: JournalRecord = {
      ordinal: this.records.length,
      id: `${epoch.id}-${sequence}-0`,
      requestId,
      writtenAt: this.#world().scheduler.now,
      flaw: kind === "undecodable" ? kind : undefined,
      epochId: epoch.id,
      sequence,
    };
    this.records.push(record);
    const payload = this.#payload(kind, requestId, bytes);
    const frame = this.#append(epoch, segment, frameTypes.event, payload, record);
    if (kind === "newer") this.newer.add(frame);
  }

  async listSegments(): Promise<NativeSegment[]> {
    const writers = this.#epochs.at(-1);
    return this.#disk.io("read", () =>
      this.#present().map(({ epoch, index, name, firstSequence, startedMs }) => ({
        name,
        bytes: this.limits.segmentBytes,
        epochNumber: epoch.number,
        epochId: epoch.id,
        segment: index,
        firstSequence: BigInt(firstSequence),
        startedMs,
        isWriters: epoch === writers,
        maxJournalBytes: this.limits.maxJournalBytes,
        minFreeBytes: this.limits.minFreeBytes,
      })),
    );
  }

  async deleteSegment(path: string): Promise<void> {
    return this.#disk.io("write", () => this.#delete(path));
  }

  #delete(path: string): void {
    const segment = this.#present().find(({ name }) => `${journalDirectory}/${name}` === path);
    if (segment === undefined) throw systemError("ENOENT", path);
    segment.isDeleted = true;
    this.#disk.remove(path);
  }

  /** Somebody deletes the oldest segments by hand; the writer's stay. */
  deleteOldest(count: number): void {
    const present = this.#present();
    for (const { name } of present.slice(0, Math.min(count, present.length - 1))) {
      this.#delete(`${journalDirectory}/${name}`);
    }
  }

  /** The segments that are there, in the order of reading. */
  segments(): ModelSegment[] {
    return this.#present();
  }

  /** True if the segment of a record has not been deleted. */
  isPresent({ epochId, sequence }: JournalRecord): boolean {
    return this.#present().some(
      ({ epoch, frames }) =>
        epoch.id === epochId && frames.some((frame) => frame.sequence === sequence),
    );
  }

  epochs(): readonly ModelEpoch[] {
    return this.#epochs;
  }

  /** Where records of an epoch from a sequence number on begin, as an ordinal. */
  ordinalAt(epochId: string, sequence: number): number {
    const { records } = this;
    const epoch = this.#epochs.findLastIndex(({ id }) => id === epochId);
    // Without the epoch: where the first one begins.
    if (epoch === -1) return 0;
    // The records of an epoch are in a row, in the order of their sequence numbers.
    let low = this.#epochs[epoch]!.firstOrdinal;
    let high = this.#epochs[epoch + 1]?.firstOrdinal ?? records.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (records[middle]!.sequence >= sequence) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #present(): ModelSegment[] {
    return this.#epochs.flatMap(({ segments }) => segments.filter((each) => !each.isDeleted));
  }

  /** The segment for the next frame; `undefined` without space for one. */
  #space(epoch: ModelEpoch): ModelSegment | undefined {
    const { segmentBytes, framesInSegment, maxJournalBytes, minFreeBytes } = this.limits;
    const last = epoch.segments.at(-1);
    const isFull = this.#isRolling || last === undefined || last.frames.length >= framesInSegment;
    if (!isFull) return last;
    if (this.bytes + segmentBytes > maxJournalBytes) return undefined;
    if (this.#disk.freeBytes() - segmentBytes < minFreeBytes) return undefined;
    const index = epoch.segments.length;
    const [number, part] = [String(epoch.number).padStart(10, "0"), String(index).padStart(6, "0")];
    const segment = {
      epoch,
      index,
      name: `e${number}-s${part}.cej`,
      firstSequence: index === 0 ? 1 : epoch.nextSequence,
      startedMs: timeOfDay(this.#world()),
      frames: [],
      isDeleted: false,
    };
    this.#isRolling = false;
    epoch.segments.push(segment);
    this.#disk.count(`${journalDirectory}/${segment.name}`, segmentBytes);
    return segment;
  }

  #recordLoss(epoch: ModelEpoch, segment: ModelSegment): void {
    const gap = { reason: "disk-full", count: this.#dropped };
    this.#dropped = 0;
    this.writerGaps.push(`${epoch.id}-${epoch.nextSequence}-0`);
    this.#append(epoch, segment, frameTypes.gap, cbor(gap), undefined);
  }

  #append(
    epoch: ModelEpoch,
    segment: ModelSegment,
    type: number,
    payload: Buffer,
    record: JournalRecord | undefined,
  ): ModelFrame {
    const { scheduler, random } = this.#world();
    const last = segment.frames.at(-1);
    // A segment is written and flushed after the one before.
    const before = last ?? epoch.segments.at(-2)?.frames.at(-1);
    const visibleAt = Math.max(
      before?.visibleAt ?? 0,
      scheduler.now + random.fraction() * this.lateMs.seen,
    );
    const coveredAt = visibleAt + random.fraction() * this.lateMs.covered;
    const frame = {
      type,
      sequence: epoch.nextSequence,
      time: filetimeOf(timeOfDay(this.#world())),
      payload,
      end: (last?.end ?? headerBytes) + 64 + payload.length,
      visibleAt,
      durableAt: Math.max(before?.durableAt ?? 0, coveredAt),
      record,
      torn: undefined,
    };
    segment.frames.push(frame);
    epoch.nextSequence += 1;
    for (const tail of this.tails) tail.appended(frame);
    return frame;
  }

  #payload(kind: string, requestId: number | undefined, bytes: number): Buffer {
    if (kind === "undecodable") return Buffer.from([0xff, 0x00]);
    const payload = Buffer.from(payloadOf(kind, requestId, bytes));
    payload.writeBigUInt64BE(filetimeOf(timeOfDay(this.#world())), payload.indexOf(placeholder));
    return payload;
  }
}

/** Stands for the time of a record, as CBOR has it. */
const placeholderTime = 0x7e57_7e57_7e57_7e57n;
const placeholder = Buffer.alloc(8);
placeholder.writeBigUInt64BE(placeholderTime);

const payloads = new Map<string, Buffer>();

/** The payload of a record with the placeholder as its time; made once for each shape. */
function payloadOf(kind: string, requestId: number | undefined, bytes: number): Buffer {
  const shape = `${kind} ${requestId} ${bytes}`;
  let payload = payloads.get(shape);
  if (payload === undefined) {
    const common = {
      time: placeholderTime,
      pid: 4711,
      tid: 4712,
      ca: { Name: "Simulated CA" },
    };
    const request = {
      RequestID: requestId,
      RequesterName: "SIMULATED\\someone",
      ...(bytes > 0 && { DispositionMessage: "x".repeat(bytes) }),
    };
    payload = cbor(
      kind === "startup"
        ? { ...common, event: 0x80, context: 0 }
        : { ...common, event: 2, context: requestId, request },
    );
    payloads.set(shape, payload);
  }
  return payload;
}

/** CBOR by the rules of the record format. */
export function cbor(value: unknown): Buffer {
  return Buffer.from(encode(value, rfc8949EncodeOptions));
}

/** A time in ms since 1970 as 100 ns since 1601. */
export function filetimeOf(ms: number): bigint {
  return (BigInt(ms) + 11_644_473_600_000n) * 10_000n;
}
