import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { loadNative, type NativeSegment } from "../native/addon.ts";
import type { JournalPosition } from "./position.ts";
import { compareSegments, holdsOnlyZeros, listSegmentFiles, listSegments } from "./segments.ts";

/** How long journal segments are kept. */
export interface RetentionPolicy {
  /** Segments that every enabled sink has passed stay this long for replays, in ms. */
  readonly replayWindowMs: number;
  /** Size of the whole journal in bytes; near it the oldest segments go even if a sink still needs them. */
  readonly maxBytes: number;
  /** Free space of the volume below which the exit module makes no segment, in bytes. */
  readonly minFreeBytes: number;
}

/** How much room the journal takes and has. */
export interface JournalRoom {
  /** Bytes of all its files, also of those that the writer made ahead. */
  readonly journalBytes: number;
  /** Bytes left on the volume for this account. */
  readonly freeBytes: number;
}

/** Where an enabled sink stands; `null` when it has no checkpoint yet. */
export interface SinkCursor {
  readonly sink: string;
  readonly position: JournalPosition | null;
}

/**
 * A segment that goes, why, and which sinks had not passed it: those get a `journal.gap`. `passed`: nobody
 * needs it any more; `room`: everybody has it, but the replay window is not over; `cap`: it goes all the same.
 */
export interface Deletion {
  readonly segment: NativeSegment;
  readonly reason: "passed" | "room" | "cap";
  readonly losers: readonly string[];
}

/**
 * From this share of the cap on segments are deleted, down to `capTarget`. The writer's segments are at most
 * a sixteenth of the cap, so that this happens before it finds no room for the next one.
 */
const capTrigger = 0.85;
const capTarget = 0.8;
/** Below this many times the floor segments that every sink has passed go, until `floorTarget` is free. */
const floorTrigger = 1.25;
const floorTarget = 1.5;

/**
 * The policy with the exit module's own bounds where they are narrower: it stops recording at them, whatever
 * the service's configuration says.
 */
export function withWritersBounds(
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

/**
 * Which segments may go, oldest first, so that what is left has no holes. The last one never goes, nor the
 * last one of the writer's epoch: the writer is in it. A disabled sink is not among the cursors and so pins
 * nothing.
 */
export function planDeletions(
  segments: readonly NativeSegment[],
  cursors: readonly SinkCursor[],
  policy: RetentionPolicy,
  room: JournalRoom,
  nowMs: number,
): Deletion[] {
  const ordered = segments.toSorted(compareSegments);
  const epochs = new Map(ordered.map(({ epochId, epochNumber }) => [epochId, epochNumber]));
  const need = bytesToFree(policy, room);
  const deletions: Deletion[] = [];
  let freed = 0;
  for (const [index, segment] of ordered.slice(0, -1).entries()) {
    const next = ordered[index + 1];
    if (segment.isWriters && next?.isWriters !== true) break;
    // A segment was written until its successor began.
    const writtenMs = next?.startedMs ?? nowMs;
    const losers = cursors
      .filter(({ position }) => !hasPassed(position, segment, epochs))
      .map(({ sink }) => sink);
    const isOver = writtenMs + policy.replayWindowMs <= nowMs;
    const reason = reasonFor(losers.length === 0, isOver, freed, need);
    if (reason === null) break;
    deletions.push({ segment, reason, losers });
    freed += segment.bytes;
  }
  return deletions;
}

interface Need {
  /** Bytes to free below the cap, whoever still needs them. */
  readonly cap: number;
  /** Bytes to free for the volume, out of what every sink has. */
  readonly floor: number;
}

function bytesToFree(policy: RetentionPolicy, { journalBytes, freeBytes }: JournalRoom): Need {
  const { maxBytes, minFreeBytes } = policy;
  return {
    cap: journalBytes > maxBytes * capTrigger ? journalBytes - maxBytes * capTarget : 0,
    floor: freeBytes < minFreeBytes * floorTrigger ? minFreeBytes * floorTarget - freeBytes : 0,
  };
}

function reasonFor(
  isPassed: boolean,
  isOver: boolean,
  freed: number,
  need: Need,
): Deletion["reason"] | null {
  if (isPassed && isOver) return "passed";
  if (isPassed && freed < Math.max(need.cap, need.floor)) return "room";
  return freed < need.cap ? "cap" : null;
}

/**
 * A position whose epoch is not in the directory proves nothing: after a restored snapshot its number may
 * stand for another epoch. Otherwise the epoch is there, since the segment a sink is in is never deleted.
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

/** The offset of a position that is done with its epoch. */
const finishedOffset = 0;

/** What one round of retention found and did. */
export interface RetentionReport extends JournalRoom {
  /** The policy with the exit module's own bounds. */
  readonly policy: RetentionPolicy;
  readonly deleted: readonly Deletion[];
  /** Segments that could not be deleted now (somebody has them open); tried again in the next round. */
  readonly failed: readonly { readonly deletion: Deletion; readonly cause: unknown }[];
}

/**
 * Deletes what the plan allows, and the files that earlier writers made ahead and never used. The cursors
 * must be those of the checkpoints on disk: a segment goes only after the checkpoint that has passed it is
 * durable. The report tells the room after the round.
 */
export async function applyRetention(
  directory: string,
  cursors: readonly SinkCursor[],
  ownPolicy: RetentionPolicy,
  nowMs = Date.now(),
): Promise<RetentionReport> {
  const segments = await listSegments(directory);
  const policy = withWritersBounds(ownPolicy, segments);
  await deleteAbandonedSpares(directory, segments);
  const room = await roomOf(directory);
  const deleted: Deletion[] = [];
  const failed: { deletion: Deletion; cause: unknown }[] = [];
  for (const deletion of planDeletions(segments, cursors, policy, room, nowMs)) {
    try {
      await loadNative().deleteFile(join(directory, deletion.segment.name));
      deleted.push(deletion);
    } catch (cause) {
      failed.push({ deletion, cause });
      break;
    }
  }
  return { policy, deleted, failed, ...(deleted.length > 0 ? await roomOf(directory) : room) };
}

async function roomOf(directory: string): Promise<JournalRoom> {
  const files = await listSegmentFiles(directory);
  const { bavail, bsize } = await statfs(directory);
  return {
    journalBytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    freeBytes: bavail * bsize,
  };
}

/**
 * A writer leaves the file that it had made ahead. Of an epoch before the writer's and before the newest one
 * nobody will use it any more, since there is one writer at a time; it goes if it holds nothing but zeros.
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
    // One that cannot be read or deleted now is looked at again in the next round.
    if (await holdsOnlyZeros(path).catch(() => false))
      await loadNative()
        .deleteFile(path)
        .catch(() => undefined);
  }
}
