import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

// A second reading of docs/reference/journal-format.md, in few lines, that shares nothing with the
// product's reader. It trusts the lengths: damage is a matter of other tests.

/** Types of frames. */
export const frameTypes = { epoch: 1, event: 2, gap: 3, mark: 4, seal: 5 } as const;

/** One frame of a segment file. */
export interface Frame {
  readonly type: number;
  readonly epoch: number;
  readonly sequence: bigint;
  readonly time: bigint;
  readonly payload: Buffer;
}

const segmentHeaderBytes = 4_096;
const frameHeaderBytes = 104;

/** Sorted paths of the segment files of a journal directory. */
export function segmentPaths(directory: string): string[] {
  const names = readdirSync(directory).filter((name) => /^e\d{10}-s\d{6}\.cej$/.test(name));
  return names.toSorted().map((name) => join(directory, name));
}

/** All frames of a journal directory, in the order of the file names. */
export function readFrames(directory: string): Frame[] {
  return segmentPaths(directory).flatMap(readSegment);
}

/** The frames of one file. */
export function readSegment(path: string): Frame[] {
  const bytes = readFileSync(path);
  const frames: Frame[] = [];
  if (bytes.subarray(0, 6).toString("latin1") !== "CWJRNL") return frames;
  let offset = segmentHeaderBytes;
  while (offset + frameHeaderBytes <= bytes.length) {
    const length = bytes.readUInt32LE(offset);
    if (length === 0) break;
    const start = offset + frameHeaderBytes;
    frames.push({
      epoch: bytes.readUInt32LE(offset + 12),
      sequence: bytes.readBigUInt64LE(offset + 16),
      time: bytes.readBigUInt64LE(offset + 24),
      type: bytes.readUInt16LE(offset + 32),
      payload: bytes.subarray(start, start + length),
    });
    offset += Math.ceil((frameHeaderBytes + length) / 8) * 8;
  }
  return frames;
}
