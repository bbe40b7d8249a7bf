import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { crc32c } from "./independent-journal-reader.ts";

const segmentHeaderBytes = 4096;
const frameHeaderBytes = 104;

/** A frame in the bytes of a segment. */
export interface FoundFrame {
  readonly offset: number;
  readonly type: number;
  readonly sequence: number;
  readonly payload: Buffer;
}

/** A segment file that somebody with all rights changes, so that everything but the hash chain still fits. */
export class ChangedSegment {
  readonly bytes: Buffer;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    this.bytes = readFileSync(path);
  }

  /** The records and gaps of the segment. */
  records(): FoundFrame[] {
    return this.#frames().filter(({ type }) => type === 2 || type === 3);
  }

  /** Makes all CRCs of a frame right. */
  repair({ offset, payload }: FoundFrame): void {
    const epochId = this.bytes.subarray(16, 32);
    this.bytes.writeUInt32LE(crc32c(epochId, payload), offset + 8);
    const place = Buffer.alloc(12);
    this.bytes.copy(place, 0, 32, 36);
    place.writeBigUInt64LE(BigInt(offset), 4);
    const header = this.bytes.subarray(offset, offset + frameHeaderBytes);
    const crc = crc32c(epochId, place, header.subarray(0, 4), header.subarray(8));
    this.bytes.writeUInt32LE(crc, offset + 4);
  }

  /** Computes the chain again from a record to the end, as somebody who knows the format would. */
  chainFrom(first: FoundFrame): void {
    let value: Buffer | undefined;
    for (const frame of this.#frames()) {
      const { offset, type, payload } = frame;
      if (offset < first.offset) continue;
      const header = this.bytes.subarray(offset, offset + frameHeaderBytes);
      value?.copy(header, 40);
      const previous = Buffer.from(header.subarray(40, 72));
      const parts = [previous, header.subarray(0, 4), header.subarray(12, 34)];
      const hash = createHash("sha256");
      for (const part of [...parts, header.subarray(36, 38), payload]) hash.update(part);
      value = type === 2 || type === 3 ? hash.digest() : previous;
      value.copy(header, 72);
      this.repair(frame);
    }
  }

  save(): void {
    writeFileSync(this.#path, this.bytes);
  }

  #frames(): FoundFrame[] {
    const frames: FoundFrame[] = [];
    for (let offset = segmentHeaderBytes; offset + frameHeaderBytes <= this.bytes.length; ) {
      const length = this.bytes.readUInt32LE(offset);
      if (length === 0) break;
      const start = offset + frameHeaderBytes;
      frames.push({
        offset,
        type: this.bytes.readUInt16LE(offset + 32),
        sequence: Number(this.bytes.readBigUInt64LE(offset + 16)),
        payload: this.bytes.subarray(start, start + length),
      });
      offset += Math.ceil((frameHeaderBytes + length) / 8) * 8;
    }
    return frames;
  }
}
