import { statfs, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { NativeSegment } from "./native.ts";
import type { JournalPosition } from "./position.ts";
import { compareSegments, listSegments } from "./segments.ts";

/** How long journal segments are kept. */
export interface RetentionPolicy {
  /** Segments that every enabled sink has passed stay this long for replays, in ms. */
  readonly replayWindowMs: number;
  /** Size of the whole journal in bytes; near it the oldest segments go even if a sink still needs them. */
  readonly maxBytes: number;
}

/** Where an enabled sink stands; `null` when it has no checkpoint yet. */
export interface SinkCursor {
  readonly sink: string;
  readonly position: JournalPosition | null;
}

/** A segment that goes, why, and which sinks had not passed it: those get a `journal.gap`. */
export interface Deletion {
  readonly segment: NativeSegment;
  readonly reason: "passed" | "cap";
  readonly losers: readonly string[];
}

/** From this share of the cap on, segments are deleted; down to `capTarget`. */
const capTrigger = 0.95;
const capTarget = 0.8;

/**
 * Which segments may go, oldest first. The newest epoch's last segment and everything after it is never
 * chosen: the writer is in it. A disabled sink is not among the cursors and so pins nothing.
 */
export function planDeletions(
  segments: readonly NativeSegment[],
  cursors: readonly SinkCursor[],
  policy: RetentionPolicy,
  nowMs: number,
): Deletion[] {
  const ordered = segments.toSorted(compareSegments);
  const ended = ordered.slice(0, -1);
  const epochs = new Map(ordered.map(({ epochId, epochNumber }) => [epochId, epochNumber]));
  let bytes = ordered.reduce((sum, segment) => sum + segment.bytes, 0);
  const isOverCap = bytes > policy.maxBytes * capTrigger;
  const deletions: Deletion[] = [];
  for (const [index, segment] of ended.entries()) {
    // A segment was written until its successor began.
    const writtenMs = ordered[index + 1]?.startedMs ?? nowMs;
    const losers = cursors
      .filter(({ position }) => !hasPassed(position, segment, epochs))
      .map(({ sink }) => sink);
    const isForced = isOverCap && bytes > policy.maxBytes * capTarget;
    const isDone = losers.length === 0 && writtenMs + policy.replayWindowMs <= nowMs;
    // Segments go in their order, so that what is left has no holes.
    if (!isForced && !isDone) break;
    deletions.push({ segment, reason: isDone ? "passed" : "cap", losers });
    bytes -= segment.bytes;
  }
  return deletions;
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
  return (
    position.epochNumber > segment.epochNumber ||
    (position.epochId === segment.epochId && position.segment > segment.segment)
  );
}

/** What one round of retention found and did. */
export interface RetentionReport {
  readonly deleted: readonly Deletion[];
  /** Segments that could not be deleted now (somebody has them open); tried again in the next round. */
  readonly failed: readonly { readonly deletion: Deletion; readonly cause: unknown }[];
  /** Bytes of all segments after the round. */
  readonly journalBytes: number;
  /** Bytes left on the volume for this account. */
  readonly freeBytes: number;
}

/**
 * Deletes what the plan allows. The cursors must be those of the checkpoints on disk: a segment goes only
 * after the checkpoint that has passed it is durable.
 */
export async function applyRetention(
  directory: string,
  cursors: readonly SinkCursor[],
  policy: RetentionPolicy,
  nowMs = Date.now(),
): Promise<RetentionReport> {
  const segments = await listSegments(directory);
  const deleted: Deletion[] = [];
  const failed: { deletion: Deletion; cause: unknown }[] = [];
  for (const deletion of planDeletions(segments, cursors, policy, nowMs)) {
    try {
      await unlink(join(directory, deletion.segment.name));
      deleted.push(deletion);
    } catch (cause) {
      failed.push({ deletion, cause });
      break;
    }
  }
  const total = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  const { bavail, bsize } = await statfs(directory);
  return {
    deleted,
    failed,
    journalBytes: total - deleted.reduce((sum, { segment }) => sum + segment.bytes, 0),
    freeBytes: bavail * bsize,
  };
}
