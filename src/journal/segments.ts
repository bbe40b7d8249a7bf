import { lstat, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { CertwireError } from "../errors/certwire-error.ts";
import { loadNative, type NativeSegment } from "../native/addon.ts";
import type { JournalPosition } from "./position.ts";

/** Order in which segments are read. */
export function compareSegments(a: NativeSegment, b: NativeSegment): number {
  return a.epochNumber - b.epochNumber || a.segment - b.segment;
}

/** Every segment whose header verifies, in the order of reading. Rejects with a CertwireError. */
export async function listSegments(directory: string): Promise<NativeSegment[]> {
  try {
    return (await loadNative().listSegments(directory)).toSorted(compareSegments);
  } catch (cause) {
    throw unreadable(directory, cause);
  }
}

/** Size of a segment's header; its first frame is behind it. */
const segmentHeaderBytes = 4096;
/** The place of a segment's first frame. */
export function startOf(segment: NativeSegment): JournalPosition {
  const { epochNumber, epochId, firstSequence } = segment;
  const sequence = firstSequence - 1n;
  return { epochNumber, epochId, segment: segment.segment, offset: segmentHeaderBytes, sequence };
}

const segmentName = /^e(\d{10})-s\d{6}\.cej$/;

/** A file that is named like a segment, whatever it holds. */
export interface SegmentFile {
  readonly name: string;
  /** The epoch number of its name. */
  readonly epochNumber: number;
  readonly bytes: number;
}

/** Every file that is named like a segment, by its name; links and directories are left out. */
export async function listSegmentFiles(directory: string): Promise<SegmentFile[]> {
  const files: SegmentFile[] = [];
  for (const name of (await readdir(directory)).toSorted()) {
    const epochNumber = segmentName.exec(name)?.[1];
    if (epochNumber === undefined) continue;
    const stats = await lstat(join(directory, name)).catch(() => null); // deleted meanwhile
    if (stats?.isFile()) files.push({ name, epochNumber: Number(epochNumber), bytes: stats.size });
  }
  return files;
}

/** True when a file holds no other byte than zero. */
export async function holdsOnlyZeros(path: string): Promise<boolean> {
  const file = await open(path, "r");
  try {
    const part = Buffer.alloc(1 << 20);
    const zeros = Buffer.alloc(part.length);
    for (;;) {
      const { bytesRead } = await file.read(part, 0, part.length);
      if (bytesRead === 0) return true;
      if (part.compare(zeros, 0, bytesRead, 0, bytesRead) !== 0) return false;
    }
  } finally {
    await file.close();
  }
}

/**
 * Names of the files that are named like segments and hold something, but no header that verifies. A
 * file of zeros is one that the writer made ahead and never used. Rejects with a CertwireError when a
 * file cannot be read.
 */
export async function listHeadless(
  directory: string,
  segments: readonly NativeSegment[],
): Promise<string[]> {
  const known = new Set(segments.map(({ name }) => name));
  try {
    const names = (await readdir(directory)).filter((name) => segmentName.test(name));
    const others = names.filter((name) => !known.has(name)).toSorted();
    const used = await Promise.all(others.map((name) => holdsSomething(join(directory, name))));
    return others.filter((_, index) => used[index]);
  } catch (cause) {
    throw unreadable(directory, cause);
  }
}

async function holdsSomething(path: string): Promise<boolean> {
  const file = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null; // retention was quicker
    throw error;
  });
  if (file === null) return false;
  try {
    const header = Buffer.alloc(segmentHeaderBytes);
    const { buffer, bytesRead } = await file.read(header, 0, header.length, 0);
    return buffer.subarray(0, bytesRead).some((byte) => byte !== 0);
  } finally {
    await file.close();
  }
}

function unreadable(directory: string, cause: unknown): CertwireError {
  return new CertwireError("CERTWIRE_JOURNAL_UNREADABLE", `cannot read ${directory}`, { cause });
}
