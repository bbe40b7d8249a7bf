import type { Logger } from "pino";
import { describeError } from "../errors/describe-error.ts";
import { RepeatedLines } from "../log/repeated-lines.ts";
import { pause } from "../pipeline/waiting.ts";
import type { LiveStatus, Observation } from "./live-status.ts";

/** What a watch reads, where it writes, and how often. */
export interface WatchStatusOptions {
  readonly status: Pick<LiveStatus, "observe">;
  readonly log: Logger;
  /** How often the status is read, in ms. Default 30000. */
  readonly intervalMs?: number;
  /** Whether it is read once more, from the disk, when the signal is aborted. Default false. */
  readonly readsAtEnd?: boolean;
}

/**
 * Hands the status to `take` again and again until the signal is aborted. Never rejects: whatever is wrong with the
 * health, it must not end the service.
 */
export async function watchStatus(
  { status, log, intervalMs = 30_000, readsAtEnd = false }: WatchStatusOptions,
  take: (observation: Observation, isLast: boolean) => void,
  signal: AbortSignal,
): Promise<void> {
  const failures = new RepeatedLines(log);
  for (let isLast = false; !isLast; ) {
    await pause(intervalMs, signal);
    isLast = signal.aborted;
    if (isLast && !readsAtEnd) break;
    try {
      take(await status.observe(isLast), isLast);
    } catch (error) {
      failures.write("cannot assess the health", describeError(error));
    }
  }
  failures.close();
}
