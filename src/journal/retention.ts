import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { clock } from "../clock.ts";
import { loadNative, type NativeSegment } from "../native/addon.ts";
import type { JournalPosition } from "./position.ts";
import { compareSegments, holdsOnlyZeros, listSegmentFiles, listSegments } from "./segments.ts";
import { largestSegment, type SpaceRule, spaceRule } from "./space-rule.ts";

/** How long journal segments are kept. */
export interface RetentionPolicy {
  /** How long segments that every enabled sink has passed are kept for replays, in ms. */
  readonly replayWindowMs: number;
  /** Maximum size of the journal in bytes; near it the oldest segments go even if a sink still needs them. */
  readonly maxBytes: number;
  /** Free space of the volume below which the exit module creates no segment, in bytes. */
  readonly minFreeBytes: number;
}

/** How much space the journal uses, and how much is left. */
export interface JournalSpace {
  /** Bytes of all its files, including those that the writer has preallocated. */
  readonly journalBytes: number;
  /** Bytes free on the volume for this account. */
  readonly freeBytes: number;
}

/** The durable position of an enabled sink; `null` if it has no checkpoint yet. */
export interface SinkCursor {
  readonly sink: string;
  readonly position: JournalPosition | null;
}

/** A segment to delete. */
export interface Deletion {
  readonly segment: NativeSegment;
  /**
   * `passed`: every sink has passed it and the replay window is over; `space`: every sink has passed it, but
   * its space is needed before the window is over; `cap`: the journal is too large, so it goes regardless.
   */
  readonly reason: "passed" | "space" | "cap";
  /** Names of the sinks that have not passed it; each of them gets a `journal.gap`. */
  readonly losers: readonly string[];
}

/**
 * Segments are deleted once the journal reaches this share of its maximum, down to `capTarget`. The writer's
 * segments are at most a sixteenth of the maximum, so this happens before it has no space for the next one.
 */
export const capTrigger = 0.85;
const capTarget = 0.8;
/** Passed segments are deleted while less than this multiple of the floor is free, up to `floorTarget`. */
const floorTrigger = 1.25;
const floorTarget = 1.5;
/** The same in segments above the floor, since a small floor leaves no space for one. */
const floorTriggerSegments = 2;
const floorTargetSegments = 3;

/**
 * The policy with the exit module's own limits where they are stricter: it stops recording there, whatever
 * the service's configuration says.
 */
export function withWriterLimits(
  policy: RetentionPolicy,
  segments: readonly NativeSegment[],
): RetentionPolicy {
  const ordered = segments.toSorted(compareSegments);
  const last = ordered.findLast(({ isWriters }) => isWriters) ?? ordered.at(-1);
  const { maxJournalBytes = 0, minFreeBytes = 0 } = last ?? {};
  const maxBytes = maxJournalBytes === 0 ? policy.maxBytes : maxJournalBytes;
  return {
    ...policy,
    maxBytes: Math.min(policy.maxBytes, maxBytes),
    minFreeBytes: Math.max(policy.minFreeBytes, minFreeBytes),
  };
}

/** What a plan of deletions depends on besides segments and cursors. */
interface DeletionConditions {
  readonly policy: RetentionPolicy;
  readonly space: JournalSpace;
  /** The current time, in ms since 1970. */
  readonly nowMs: number;
  /** How the writer uses space. Default: `spaceRule`. */
  readonly rule?: SpaceRule;
}

/**
 * Which segments may be deleted, oldest first, so that what is left has no holes. The last segment stays, and
 * so does the last one of the writer's epoch: the writer is in it. A disabled sink has no cursor here and so
 * keeps nothing.
 */
export function planDeletions(
  segments: readonly NativeSegment[],
  cursors: readonly SinkCursor[],
  { policy, space, nowMs, rule }: DeletionConditions,
): Deletion[] {
  const ordered = segments.toSorted(compareSegments);
  const epochs = new Map(ordered.map(({ epochId, epochNumber }) => [epochId, epochNumber]));
  const need = bytesToFree(policy, space, rule);
  const deletions: Deletion[] = [];
  let freed = 0;
  for (const [index, segment] of ordered.slice(0, -1).entries()) {
    const next = ordered[index + 1];
    if (segment.isWriters && next?.isWriters !== true) break;
    // The writer wrote to a segment until it began the next one.
    const writtenMs = next?.startedMs ?? nowMs;
    const notPassed = cursors.filter(({ position }) => !hasPassed(position, segment, epochs));
    const losers = [...new Set(notPassed.map(({ sink }) => sink))];
    const isOver = writtenMs + policy.replayWindowMs <= nowMs;
    const reason = reasonFor(losers.length === 0, isOver, freed, need);
    if (reason === null) break;
    deletions.push({ segment, reason, losers });
    freed += segment.bytes;
  }
  return deletions;
}

interface Need {
  /** Bytes to free so that the journal is below its maximum, even of segments that a sink still needs. */
  readonly cap: number;
  /** Bytes to free for the volume, only of segments that every sink has passed. */
  readonly floor: number;
}

function bytesToFree(policy: RetentionPolicy, space: JournalSpace, rule?: SpaceRule): Need {
  const { maxBytes, minFreeBytes } = policy;
  const { journalBytes, freeBytes } = space;
  const segment = largestSegment({ ...policy, ...space }, rule);
  const floorAt = Math.max(
    minFreeBytes * floorTrigger,
    minFreeBytes + floorTriggerSegments * segment,
  );
  const floorTo = Math.max(
    minFreeBytes * floorTarget,
    minFreeBytes + floorTargetSegments * segment,
  );
  return {
    cap: journalBytes > maxBytes * capTrigger ? journalBytes - maxBytes * capTarget : 0,
    floor: freeBytes < floorAt ? floorTo - freeBytes : 0,
  };
}

function reasonFor(
  isPassed: boolean,
  isOver: boolean,
  freed: number,
  need: Need,
): Deletion["reason"] | null {
  if (isPassed && isOver) return "passed";
  if (isPassed && freed < Math.max(need.cap, need.floor)) return "space";
  return freed < need.cap ? "cap" : null;
}

/**
 * A position whose epoch is not in the directory proves nothing: after a snapshot was restored, its number
 * may belong to another epoch. Otherwise the epoch is there: a sink's current segment is never deleted.
 */
function hasPassed(
  position: JournalPosition | null,
  segment: NativeSegment,
  epochs: ReadonlyMap<string, number>,
): boolean {
  if (position === null || epochs.get(position.epochId) !== position.epochNumber) return false;
  if (position.epochId !== segment.epochId) return position.epochNumber > segment.epochNumber;
  return position.segment > segment.segment || position.offset === finishedOffset;
}

/** The offset of a position that has finished its epoch. */
const finishedOffset = 0;

/** What one round of retention found and did. */
export interface RetentionReport extends JournalSpace {
  /** The policy that applied: the given one with the exit module's stricter limits. */
  readonly policy: RetentionPolicy;
  readonly deleted: readonly Deletion[];
  /** Segments that could not be deleted (a process has them open); tried again in the next round. */
  readonly failed: readonly { readonly deletion: Deletion; readonly cause: unknown }[];
}

/** What a round of retention takes as given instead of asking the machine. */
export interface RetentionSettings {
  /** The current time, in ms since 1970. Default: now. */
  readonly nowMs?: number;
  /** Bytes free on the volume of a journal of this size. Default: as the volume says. */
  readonly freeBytes?: (journalBytes: number) => number;
  /** How the writer uses space. Default: `spaceRule`. */
  readonly rule?: SpaceRule;
}

/**
 * Deletes the planned segments, and the files that earlier writers preallocated and never used. The cursors
 * must be durable: a segment may go only after the checkpoints that have passed it are on disk. The report's
 * space is that after the round. Rejects with CERTWIRE_JOURNAL_UNREADABLE or the error of the file system.
 */
export async function applyRetention(
  directory: string,
  cursors: readonly SinkCursor[],
  ownPolicy: RetentionPolicy,
  { nowMs = clock.time(), freeBytes, rule = spaceRule }: RetentionSettings = {},
): Promise<RetentionReport> {
  const segments = await listSegments(directory);
  const policy = withWriterLimits(ownPolicy, segments);
  await deleteAbandonedSpares(directory, segments);
  const space = await spaceOf(directory, freeBytes);
  const deleted: Deletion[] = [];
  const failed: { deletion: Deletion; cause: unknown }[] = [];
  for (const deletion of planDeletions(segments, cursors, { policy, space, nowMs, rule })) {
    try {
      await loadNative().deleteFile(join(directory, deletion.segment.name));
      deleted.push(deletion);
    } catch (cause) {
      failed.push({ deletion, cause });
      break;
    }
  }
  const after = deleted.length > 0 ? await spaceOf(directory, freeBytes) : space;
  return { policy, deleted, failed, ...after };
}

/** How much space a journal uses, and how much is left. Rejects with the error of the file system. */
export async function spaceOf(
  directory: string,
  freeBytesOf?: (journalBytes: number) => number,
): Promise<JournalSpace> {
  const files = await listSegmentFiles(directory);
  const journalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  if (freeBytesOf) return { journalBytes, freeBytes: freeBytesOf(journalBytes) };
  const { bavail, bsize } = await statfs(directory);
  return { journalBytes, freeBytes: bavail * bsize };
}

/**
 * A writer that stops leaves the file it has preallocated. There is one writer at a time, so a file of an
 * epoch before the current writer's and before the newest is never used; it is deleted if it has only zeros.
 */
async function deleteAbandonedSpares(
  directory: string,
  segments: readonly NativeSegment[],
): Promise<void> {
  const known = new Set(segments.map(({ name }) => name));
  const newest = segments.at(-1)?.epochNumber ?? 0;
  const writers = segments.find(({ isWriters }) => isWriters)?.epochNumber ?? newest;
  for (const { name, epochNumber } of await listSegmentFiles(directory)) {
    if (known.has(name) || epochNumber >= Math.min(newest, writers)) continue;
    const path = join(directory, name);
    // The next round tries a file again that cannot be read or deleted now.
    if (await holdsOnlyZeros(path).catch(() => false))
      await loadNative()
        .deleteFile(path)
        .catch(() => undefined);
  }
}
