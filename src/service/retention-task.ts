import type { Logger } from "pino";
import { describeError } from "../errors/describe-error.ts";
import { nextPlace } from "../journal/next-place.ts";
import {
  applyRetention,
  capTrigger,
  type Deletion,
  type RetentionPolicy,
  type RetentionReport,
} from "../journal/retention.ts";
import { listSegments, startOf } from "../journal/segments.ts";
import { capacityOf, largestSegment, spaceRule } from "../journal/space-rule.ts";
import { logLine } from "../log/log-line.ts";
import { RepeatedLines } from "../log/repeated-lines.ts";
import { pause } from "../pipeline/waiting.ts";
import type { CheckpointStore } from "../state/checkpoint-store.ts";
import { Watermark } from "./watermark.ts";

type Checkpoint = Pick<CheckpointStore, "position" | "durable" | "anchor" | "advance">;

/** What the retention task works on, and how often. */
export interface RetentionOptions {
  /** Journal directory. */
  readonly directory: string;
  readonly policy: RetentionPolicy;
  /** The checkpoints of the enabled sinks by their names. */
  readonly checkpoints: ReadonlyMap<string, Checkpoint>;
  readonly log: Logger;
  /** Delay before the first round, in ms. Default 2000. */
  readonly firstAfterMs?: number;
  /** Longest delay between two rounds, in ms. Default 60000. */
  readonly intervalMs?: number;
}

/** Shortest delay between two rounds, while the journal is full or fills quickly, in ms. */
const shortestIntervalMs = 2000;

/**
 * Deletes journal segments that are no longer needed, round by round, until the signal is aborted. Never
 * rejects: a round that fails is logged, and the next one comes at its time.
 */
export async function keepRetention(options: RetentionOptions, signal: AbortSignal): Promise<void> {
  const warnings = new SpaceWarnings(options);
  // A round every two seconds may fail for hours.
  const failures = new RepeatedLines(options.log);
  const longest = options.intervalMs ?? 60_000;
  let next = options.firstAfterMs ?? 2000;
  let before = 0;
  while (!signal.aborted) {
    await pause(next, signal);
    if (signal.aborted) break;
    const round = await runOnce(options, warnings, failures);
    const grownBytes = round ? round.journalBytes + deletedBytes(round) - before : 0;
    next = round ? nextAfterMs(round, grownBytes / Math.max(next, 1), longest) : longest;
    before = round?.journalBytes ?? before;
  }
  failures.close();
}

function deletedBytes({ deleted }: RetentionReport): number {
  return deleted.reduce((sum, { segment }) => sum + segment.bytes, 0);
}

/**
 * Delay until the next round: half the time until the journal comes near its maximum if it goes on growing
 * like this. Near it, a sink may pass a segment any moment whose space the writer waits for.
 */
export function nextAfterMs(
  { journalBytes, freeBytes, policy }: RetentionReport,
  growthPerMs: number,
  longestMs: number,
): number {
  const { maxBytes, minFreeBytes } = policy;
  const limits = { maxBytes, minFreeBytes, journalBytes, freeBytes };
  const free = 2 * largestSegment(limits);
  const left = Math.min(maxBytes * capTrigger - journalBytes, freeBytes - minFreeBytes - free);
  const fillsInMs = growthPerMs > 0 ? Math.max(0, left) / growthPerMs : Number.POSITIVE_INFINITY;
  const wanted = left <= 0 ? 0 : fillsInMs / 2;
  return Math.min(longestMs, Math.max(shortestIntervalMs, wanted));
}

/** The report of a round, or `undefined` if it failed. */
async function runOnce(
  options: RetentionOptions,
  warnings: SpaceWarnings,
  failures: RepeatedLines,
): Promise<RetentionReport | undefined> {
  const { directory, policy, checkpoints, log } = options;
  try {
    await anchor(directory, [...checkpoints.values()]);
    await skipFinished(directory, [...checkpoints.values()], failures);
    // Both have to have passed a segment: a power cut may bring back the durable one, which may be the later of the two.
    const cursors = [...checkpoints].flatMap(([sink, { durable, position }]) =>
      [...new Set([durable, position])].map((each) => ({ sink, position: each })),
    );
    const round = await applyRetention(directory, cursors, policy);
    for (const deletion of round.deleted) report(log, deletion);
    for (const { deletion, cause } of round.failed) {
      const details = { segment: deletion.segment.name, ...describeError(cause) };
      failures.write("cannot delete a journal segment; the next round tries again", details);
    }
    const { deleted, journalBytes } = round;
    if (deleted.length > 0) logLine(log, "journal segments deleted", { journalBytes });
    warnings.check(round);
    return round;
  } catch (error) {
    failures.write("cannot check the journal for segments to delete", describeError(error));
    return undefined;
  }
}

/** Sets the checkpoint of a sink that has acknowledged nothing yet to the oldest segment. */
async function anchor(directory: string, checkpoints: readonly Checkpoint[]): Promise<void> {
  const fresh = checkpoints.filter(({ position }) => position === null);
  const [oldest] = fresh.length === 0 ? [] : await listSegments(directory);
  if (oldest) await Promise.all(fresh.map((checkpoint) => checkpoint.anchor(startOf(oldest))));
}

/**
 * Moves a checkpoint after the last record of a segment to the segment of the next record. Otherwise a sink
 * that has read all of a segment would keep it from deletion, or its deletion would count as a loss.
 */
async function skipFinished(
  directory: string,
  checkpoints: readonly Checkpoint[],
  failures: RepeatedLines,
): Promise<void> {
  const segments = await listSegments(directory);
  for (const checkpoint of checkpoints) {
    const { position } = checkpoint;
    if (position === null) continue;
    try {
      const place = await nextPlace(directory, segments, position);
      if (place !== null) await checkpoint.advance(position, place);
    } catch (error) {
      failures.write("cannot move a checkpoint to the next segment", describeError(error));
    }
  }
}

function report(log: Logger, { segment, reason, losers }: Deletion): void {
  const details = { segment: segment.name, reason, losers };
  if (losers.length === 0) return logLine(log, "journal segment deleted", details);
  const message =
    "journal segment deleted before every sink had published it: the journal reached its size limit";
  logLine(log, message, details);
}

/** Warns that space is running out before anything is lost: once, and again only after it had recovered. */
class SpaceWarnings {
  readonly #options: RetentionOptions;
  /** The journal's size as a share of its limit. */
  readonly #cap = new Watermark(0.8, 0.75);
  /** The required free space as a share of what is free. */
  readonly #floor = new Watermark(1 / 1.25, 1 / 1.5);
  /** 1 while the journal may not get as large as it has to be, else 0. */
  readonly #capacity = new Watermark(1, 0);
  /** 1 while the exit module's limits are stricter than the configuration's, else 0. */
  readonly #stricter = new Watermark(1, 0);

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  check({ journalBytes, freeBytes, policy }: RetentionReport): void {
    const { log, policy: own } = this.#options;
    const { maxBytes, minFreeBytes } = policy;
    const isStricter = maxBytes < own.maxBytes || minFreeBytes > own.minFreeBytes;
    if (this.#stricter.isCrossedBy(isStricter ? 1 : 0)) {
      const text =
        "the exit module's journal limits are stricter than the configuration's; the stricter limits apply";
      logLine(log, text, { maxBytes, minFreeBytes });
    }
    if (this.#cap.isCrossedBy(journalBytes / maxBytes)) {
      const text =
        "the journal has reached 80 % of its maximum size: a sink is far behind, or the replay window is too long";
      logLine(log, text, { journalBytes, maxBytes });
    }
    const capacity = capacityOf({ maxBytes, minFreeBytes, journalBytes, freeBytes });
    if (this.#capacity.isCrossedBy(capacity < spaceRule.leastJournalBytes ? 1 : 0)) {
      const text = "the journal's volume has less space than the journal needs to keep going";
      logLine(log, text, { capacity, leastBytes: spaceRule.leastJournalBytes, minFreeBytes });
    }
    if (this.#floor.isCrossedBy(minFreeBytes / Math.max(freeBytes, 1))) {
      const text = "the journal's volume is nearly full: the exit module will soon stop recording";
      logLine(log, text, { freeBytes, minFreeBytes });
    }
  }
}
