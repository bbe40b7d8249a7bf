import type { Logger } from "pino";
import type { CheckpointStore } from "../journal/checkpoint-store.ts";
import { applyRetention, type Deletion, type RetentionPolicy } from "../journal/retention.ts";
import { describeError } from "../pipeline/internal-events.ts";
import { pause } from "../pipeline/retry.ts";

/** How often segments are looked through, in ms. */
const intervalMs = 60_000;

/** Parts of the retention task. */
export interface RetentionOptions {
  readonly directory: string;
  readonly policy: RetentionPolicy;
  /** The checkpoints of the enabled sinks by their names. */
  readonly checkpoints: ReadonlyMap<string, CheckpointStore>;
  readonly log: Logger;
}

/** Deletes journal segments that nobody needs any more, once a minute, until the signal is aborted. */
export async function keepRetention(options: RetentionOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await pause(intervalMs, signal);
    if (!signal.aborted) await runOnce(options);
  }
}

async function runOnce({ directory, policy, checkpoints, log }: RetentionOptions): Promise<void> {
  const cursors = [...checkpoints].map(([sink, { position }]) => ({ sink, position }));
  try {
    const { deleted, failed, journalBytes } = await applyRetention(directory, cursors, policy);
    for (const deletion of deleted) report(log, deletion);
    for (const { deletion, cause } of failed) {
      const details = { segment: deletion.segment.name, ...describeError(cause) };
      log.warn(details, "cannot delete a journal segment now");
    }
    if (deleted.length > 0) log.info({ journalBytes }, "journal segments deleted");
  } catch (error) {
    log.warn(describeError(error), "cannot look through the journal segments");
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
