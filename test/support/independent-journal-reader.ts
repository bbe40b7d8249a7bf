// A second reader of the journal, written from docs/reference/journal-format.md alone. It shares no code
// with src/ and addon/, so that the page is proved to be enough. Committed mode, from the oldest frame.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decode } from "cborg";

/** An EVENT or GAP frame of a file, or a gap that the reader found. */
export interface IndependentEntry {
  readonly type: 2 | 3;
  readonly index: 0 | 65535;
  readonly epochNumber: number;
  readonly epochId: string;
  readonly sequence: bigint;
  readonly time: bigint;
  /** Payload of a frame of the file; of a gap that the reader found, what it says. */
  readonly content: Buffer | Readonly<Record<string, unknown>>;
  /** As the frame has it; absent for a gap that the reader found. */
  readonly previousHash?: string;
  /** As it follows from the frame's content and `previousHash`; absent likewise. */
  readonly recordHash?: string;
}

interface Segment {
  readonly bytes: Buffer;
  readonly epochNumber: number;
  readonly epochId: Buffer;
  readonly index: number;
  readonly firstSequence: bigint;
  readonly time: bigint;
  readonly size: number;
  readonly wasFilled: boolean;
}

interface Frame {
  readonly type: number;
  readonly sequence: bigint;
  readonly time: bigint;
  readonly payload: Buffer;
  readonly isPayloadValid: boolean;
  readonly previousHash: string;
  readonly recordHash: string;
  /** Offset after the padded frame. */
  readonly end: number;
}

const types = { epoch: 1, event: 2, gap: 3, mark: 4, seal: 5 } as const;
const headerCopies = [0, 2048];
const framesStart = 4096;
const headerBytes = 104;

/** Reads a journal. Throws when a segment asks for a newer reader. */
export function readJournalIndependently(directory: string): IndependentEntry[] {
  const epochs = listEpochs(directory);
  const entries: IndependentEntry[] = [];
  for (const [at, segments] of epochs.entries()) {
    const reading = new EpochReading(segments, at > 0, at === epochs.length - 1, entries);
    reading.read();
    const next = epochs[at + 1];
    if (next) reading.end(next[0]!);
  }
  return entries;
}

/** One epoch on its way through its segments. */
class EpochReading {
  readonly #segments: readonly Segment[];
  readonly #isLive: boolean;
  readonly #entries: IndependentEntry[];
  #last: bigint;
  #time = 0n;
  #isSealed = false;
  #offset = framesStart;

  constructor(
    segments: readonly Segment[],
    comesFromAnother: boolean,
    isLive: boolean,
    entries: IndependentEntry[],
  ) {
    this.#segments = segments;
    this.#isLive = isLive;
    this.#entries = entries;
    this.#last = comesFromAnother ? 0n : segments[0]!.firstSequence - 1n;
  }

  read(): void {
    for (const [at, segment] of this.#segments.entries()) {
      const before = this.#segments[at - 1];
      const isLeftOut = segment.index !== (before?.index ?? -1) + 1;
      const reason = isLeftOut ? "missing-segment" : "corrupt";
      this.#missing(segment.firstSequence - 1n, reason, segment.time);
      this.#readSegment(segment, this.#segments[at + 1]);
    }
  }

  /** The end of an epoch that is not the newest. */
  end(next: Segment): void {
    const segment = this.#segments.at(-1)!;
    const hasTail = segment.bytes.subarray(this.#offset).some((byte) => byte !== 0);
    const isCut = segment.wasFilled && segment.bytes.length < segment.size;
    if (!this.#isSealed || hasTail || isCut) {
      const known = this.#time === 0n ? {} : { firstTime: this.#time };
      this.#gap("unclean-stop", known, this.#time);
    }
    if (this.#isMissingBefore(next)) this.#gap("missing-segment", {}, this.#time);
  }

  #readSegment(segment: Segment, successor: Segment | undefined): void {
    const mayGrow = this.#isLive && successor === undefined;
    for (this.#offset = framesStart; ; ) {
      const frame = frameAt(segment, this.#offset);
      if (frame === null) {
        if (successor && successor.firstSequence <= this.#last + 1n) return;
        const later = findFrame(segment, this.#offset);
        if (later === null) return;
        this.#offset = later;
        continue;
      }
      const isGood = frame.isPayloadValid && isKnown(frame.type);
      if (!isGood && mayGrow && findFrame(segment, frame.end) === null) return;
      if (isGood || isExpendable(frame.type)) this.#take(frame);
      else this.#isSealed = false;
      this.#offset = frame.end;
    }
  }

  #take({ type, sequence, time, payload, previousHash, recordHash }: Frame): void {
    const isNumbered = type !== types.mark;
    this.#missing(isNumbered ? sequence - 1n : sequence, "corrupt", time);
    if (!isNumbered || sequence <= this.#last) return;
    this.#last = sequence;
    this.#time = time;
    this.#isSealed = type === types.seal;
    if (type !== types.event && type !== types.gap) return;
    const frame = { type, sequence, time, content: payload, previousHash, recordHash };
    this.#entries.push({ ...this.#identity(), index: 0, ...frame });
  }

  /** Everything up to `to` is lost, unless it was read. */
  #missing(to: bigint, reason: string, time: bigint): void {
    if (to <= this.#last) return;
    this.#gap(reason, { lastSequence: to }, time);
    this.#last = to;
    this.#isSealed = false;
  }

  #gap(reason: string, more: Record<string, bigint>, time: bigint): void {
    const sequence = this.#last + 1n;
    const content = { reason, firstSequence: sequence, ...more };
    this.#entries.push({ ...this.#identity(), type: 3, index: 65535, sequence, time, content });
    this.#last = sequence;
  }

  #isMissingBefore(next: Segment): boolean {
    const frame = next.index === 0 ? frameAt(next, framesStart) : null;
    if (frame?.type !== types.epoch || !frame.isPayloadValid) return false;
    const previous = map(frame.payload)["previous"] as [number, Uint8Array] | undefined;
    const { epochNumber, epochId } = this.#segments[0]!;
    return previous !== undefined && previous[0] >= epochNumber && !epochId.equals(previous[1]);
  }

  #identity() {
    const { epochNumber, epochId } = this.#segments[0]!;
    return { epochNumber, epochId: epochId.toString("hex") };
  }
}

function isExpendable(type: number): boolean {
  return type === types.epoch || type === types.mark || type === types.seal || type >= 0x8000;
}

function isKnown(type: number): boolean {
  return type === types.event || type === types.gap || isExpendable(type);
}

function map(payload: Buffer): Record<string, unknown> {
  return decode(payload) as Record<string, unknown>;
}

function listEpochs(directory: string): Segment[][] {
  const epochs = new Map<string, Segment[]>();
  for (const name of readdirSync(directory)) {
    const segment = segmentOf(directory, name);
    if (segment === null) continue;
    const key = `${String(segment.epochNumber).padStart(10, "0")}${segment.epochId.toString("hex")}`;
    epochs.set(key, [...(epochs.get(key) ?? []), segment]);
  }
  return [...epochs]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, segments]) => segments.toSorted((a, b) => a.index - b.index));
}

function segmentOf(directory: string, name: string): Segment | null {
  const [, number, index] = /^e(\d{10})-s(\d{6})\.cej$/.exec(name) ?? [];
  if (number === undefined) return null;
  const bytes = readFileSync(join(directory, name));
  const copies = headerCopies.map((offset) => bytes.subarray(offset, offset + 100));
  const header = copies.find(isHeader);
  if (!header) return null;
  if (header.readUInt16LE(10) > 1) throw new Error(`${name} needs a newer reader`);
  if (header.readUInt32LE(12) !== Number(number) || header.readUInt32LE(32) !== Number(index)) {
    return null;
  }
  return {
    bytes,
    epochNumber: header.readUInt32LE(12),
    epochId: header.subarray(16, 32),
    index: header.readUInt32LE(32),
    firstSequence: header.readBigUInt64LE(40),
    time: header.readBigUInt64LE(48),
    size: Number(header.readBigUInt64LE(56)),
    wasFilled: (header.readUInt32LE(64) & 1) === 1,
  };
}

function isHeader(copy: Buffer): boolean {
  const magic = Buffer.from("CWJRNL\r\n");
  if (copy.length < 100 || !copy.subarray(0, 8).equals(magic)) return false;
  return copy.readUInt32LE(96) === crc32c(copy.subarray(0, 96)) && copy.readUInt32LE(36) === 4096;
}

function frameAt(segment: Segment, offset: number): Frame | null {
  const { bytes, epochId, epochNumber, index, size } = segment;
  if (offset + headerBytes > bytes.length) return null;
  const header = bytes.subarray(offset, offset + headerBytes);
  const length = header.readUInt32LE(0);
  const end = offset + Math.ceil((headerBytes + length) / 8) * 8;
  if (length < 1 || length > 16_777_216 || end > size) return null;
  const place = Buffer.alloc(12);
  place.writeUInt32LE(index, 0);
  place.writeBigUInt64LE(BigInt(offset), 4);
  const crc = crc32c(epochId, place, header.subarray(0, 4), header.subarray(8));
  if (header.readUInt32LE(4) !== crc || header.readUInt32LE(12) !== epochNumber) return null;
  const payload = bytes.subarray(offset + headerBytes, offset + headerBytes + length);
  return {
    type: header.readUInt16LE(32),
    sequence: header.readBigUInt64LE(16),
    time: header.readBigUInt64LE(24),
    payload,
    isPayloadValid:
      payload.length === length && header.readUInt32LE(8) === crc32c(epochId, payload),
    previousHash: header.toString("hex", 40, 72),
    recordHash: chainValue(header, payload),
    end,
  };
}

/** The chain value of an EVENT or GAP frame. */
function chainValue(header: Buffer, payload: Buffer): string {
  const fields = [header.subarray(40, 72), header.subarray(0, 4), header.subarray(12, 34)];
  const hash = createHash("sha256");
  for (const piece of [...fields, header.subarray(36, 38), payload]) hash.update(piece);
  return hash.digest("hex");
}

/** Offset of the next valid header at or after an offset. */
function findFrame(segment: Segment, from: number): number | null {
  for (let offset = from; offset + headerBytes <= segment.bytes.length; offset += 8) {
    if (segment.bytes.readUInt32LE(offset) !== 0 && frameAt(segment, offset)) return offset;
  }
  return null;
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

/** CRC-32C of several pieces, concatenated. */
export function crc32c(...pieces: readonly Buffer[]): number {
  let crc = 0xffffffff;
  for (const piece of pieces) {
    for (const byte of piece) crc = crcTable[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
