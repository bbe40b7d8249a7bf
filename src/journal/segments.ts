import { lstat, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { CertwireError } from "../errors/certwire-error.ts";
import { loadNative, type NativeSegment } from "../native/addon.ts";
import { mebibyte } from "../units.ts";
import type { JournalPosition } from "./position.ts";

/** Sorts segments in the order of reading. */
export function compareSegments(a: NativeSegment, b: NativeSegment): number {
  return a.epochNumber - b.epochNumber || a.segment - b.segment;
}

/** Every segment whose header verifies, in the order of reading. Rejects with CERTWIRE_JOURNAL_UNREADABLE. */
export async function listSegments(directory: string): Promise<NativeSegment[]> {
  try {
    return (await loadNative().listSegments(directory)).toSorted(compareSegments);
  } catch (cause) {
    throw unreadable(directory, cause);
  }
}

/** Size of a segment's header; its first frame follows. */
const segmentHeaderBytes = 4096;

/** The position before a segment's first frame. */
export function startOf(segment: NativeSegment): JournalPosition {
  const { epochNumber, epochId, firstSequence } = segment;
  const sequence = firstSequence - 1n;
  return { epochNumber, epochId, segment: segment.segment, offset: segmentHeaderBytes, sequence };
}

const segmentName = /^e(\d{10})-s\d{6}\.cej$/;

/** A file with the name of a segment, whatever it holds. */
export interface SegmentFile {
  readonly name: string;
  /** The epoch number in its name. */
  readonly epochNumber: number;
  readonly bytes: number;
}

/** Every file with the name of a segment, sorted by name; links and directories are left out. */
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

/**
 * Names of segments that are not files but directories, links or pipes; every reader passes over them. Rejects
 * with CERTWIRE_JOURNAL_UNREADABLE.
 */
export async function listImpostors(directory: string): Promise<string[]> {
  try {
    const files = new Set((await listSegmentFiles(directory)).map(({ name }) => name));
    const names = (await readdir(directory)).filter((name) => segmentName.test(name));
    return names.filter((name) => !files.has(name)).toSorted();
  } catch (cause) {
    throw unreadable(directory, cause);
  }
}

/** True if every byte of a file is zero. Rejects with the error of the file system. */
export async function holdsOnlyZeros(path: string): Promise<boolean> {
  const file = await open(path, "r");
  try {
    const part = Buffer.alloc(mebibyte);
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
 * Names of the files that are named like segments and are in use, but whose header does not verify. A file
 * that begins with zeros is one that the writer preallocated. Rejects with CERTWIRE_JOURNAL_UNREADABLE.
 */
export async function listHeadless(
  directory: string,
  segments: readonly NativeSegment[],
): Promise<string[]> {
  const known = new Set(segments.map(({ name }) => name));
  try {
    const names = (await listSegmentFiles(directory)).map(({ name }) => name);
    const others = names.filter((name) => !known.has(name));
    const used = await Promise.all(others.map((name) => holdsSomething(join(directory, name))));
    return others.filter((_, index) => used[index]);
  } catch (cause) {
    throw unreadable(directory, cause);
  }
}

async function holdsSomething(path: string): Promise<boolean> {
  const file = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null; // deleted by retention meanwhile
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
