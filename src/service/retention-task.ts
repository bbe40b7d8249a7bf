import type { Logger } from "pino";
import { describeError } from "../errors/describe-error.ts";
import { nextPlace } from "../journal/next-place.ts";
import {
  applyRetention,
  type Deletion,
  type RetentionPolicy,
  type RetentionReport,
} from "../journal/retention.ts";
import { listSegments, startOf } from "../journal/segments.ts";
import { pause } from "../pipeline/waiting.ts";
import type { CheckpointStore } from "../state/checkpoint-store.ts";
import { Watermark } from "./watermark.ts";

type Checkpoint = Pick<CheckpointStore, "position" | "anchor" | "advance">;

/** Parts of the retention task. */
export interface RetentionOptions {
  readonly directory: string;
  readonly policy: RetentionPolicy;
  /** The checkpoints of the enabled sinks by their names. */
  readonly checkpoints: ReadonlyMap<string, Checkpoint>;
  readonly log: Logger;
  /** When segments are looked through for the first time, in ms after the start. Default 2000. */
  readonly firstAfterMs?: number;
  /** How often segments are looked through, in ms. Default 60000. */
  readonly intervalMs?: number;
}

/** Deletes journal segments that nobody needs any more, once a minute, until the signal is aborted. */
export async function keepRetention(options: RetentionOptions, signal: AbortSignal): Promise<void> {
  const warnings = new SpaceWarnings(options);
  await pause(options.firstAfterMs ?? 2000, signal);
  while (!signal.aborted) {
    await runOnce(options, warnings);
    await pause(options.intervalMs ?? 60_000, signal);
  }
}

async function runOnce(options: RetentionOptions, warnings: SpaceWarnings): Promise<void> {
  const { directory, policy, checkpoints, log } = options;
  try {
    await anchor(directory, [...checkpoints.values()]);
    await moveOn(directory, [...checkpoints.values()], log);
    // What `position` gives is on disk already.
    const cursors = [...checkpoints].map(([sink, { position }]) => ({ sink, position }));
    const round = await applyRetention(directory, cursors, policy);
    for (const deletion of round.deleted) report(log, deletion);
    for (const { deletion, cause } of round.failed) {
      const details = { segment: deletion.segment.name, ...describeError(cause) };
      log.warn(details, "cannot delete a journal segment now");
    }
    const { deleted, journalBytes } = round;
    if (deleted.length > 0) log.info({ journalBytes }, "journal segments deleted");
    warnings.look(round);
  } catch (error) {
    log.warn(describeError(error), "cannot look through the journal segments");
  }
}

/** A sink that nothing was ever acknowledged to has the oldest segment as its checkpoint. */
async function anchor(directory: string, checkpoints: readonly Checkpoint[]): Promise<void> {
  const fresh = checkpoints.filter(({ position }) => position === null);
  const [oldest] = fresh.length === 0 ? [] : await listSegments(directory);
  if (oldest) await Promise.all(fresh.map((checkpoint) => checkpoint.anchor(startOf(oldest))));
}

/**
 * A checkpoint behind the last record of a segment goes to the next record's, so that no segment is held, or
 * its end told as a loss, for a sink that has all of it.
 */
async function moveOn(directory: string, checkpoints: readonly Checkpoint[], log: Logger) {
  const segments = await listSegments(directory);
  for (const checkpoint of checkpoints) {
    const { position } = checkpoint;
    if (position === null) continue;
    try {
      const place = await nextPlace(directory, segments, position);
      if (place !== null) await checkpoint.advance(position, place);
    } catch (error) {
      log.debug(describeError(error), "cannot move a checkpoint on");
    }
  }
}

function report(log: Logger, { segment, reason, losers }: Deletion): void {
  const details = { segment: segment.name, reason, losers };
  if (losers.length === 0) log.debug(details, "journal segment deleted");
  else
    log.error(
      details,
      "journal segment deleted before every sink had it: the journal is too large",
    );
}

/** Tells that room is getting short before anything is lost, once each time. */
class SpaceWarnings {
  readonly #options: RetentionOptions;
  /** Of the journal's size in its bound. */
  readonly #cap = new Watermark(0.8, 0.75);
  /** Of the floor in what is free. */
  readonly #floor = new Watermark(1 / 1.25, 1 / 1.5);
  readonly #narrower = new Watermark(1, 0);

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  look({ journalBytes, freeBytes, policy }: RetentionReport): void {
    const { log, policy: own } = this.#options;
    const { maxBytes, minFreeBytes } = policy;
    const isNarrower = maxBytes < own.maxBytes || minFreeBytes > own.minFreeBytes;
    if (this.#narrower.isCrossedBy(isNarrower ? 1 : 0)) {
      const text =
        "the exit module's bounds of the journal are narrower than the configuration's: they count";
      log.warn({ maxBytes, minFreeBytes }, text);
    }
    if (this.#cap.isCrossedBy(journalBytes / maxBytes)) {
      const text =
        "the journal has reached 80 % of its largest size: a sink is far behind, or the replay window is long";
      log.warn({ journalBytes, maxBytes }, text);
    }
    if (this.#floor.isCrossedBy(minFreeBytes / Math.max(freeBytes, 1))) {
      const text = "the journal's volume is nearly full: the exit module stops recording soon";
      log.warn({ freeBytes, minFreeBytes }, text);
    }
  }
}
