import type { Logger } from "pino";
import { pause } from "../pipeline/waiting.ts";
import type { SinkStats } from "./sink-stats.ts";

/** What the progress log reads, where it writes, and how often. */
export interface ProgressOptions {
  /** Counters and state of every sink. */
  readonly stats: () => readonly SinkStats[];
  readonly log: Logger;
  /** How often each sink's counters are logged, in ms. Default 300000. */
  readonly intervalMs?: number;
}

/** Logs the counters of every sink at a fixed interval until the signal is aborted. */
export async function keepProgressLog(
  options: ProgressOptions,
  signal: AbortSignal,
): Promise<void> {
  const intervalMs = options.intervalMs ?? 300_000;
  for (;;) {
    await pause(intervalMs, signal);
    if (signal.aborted) return;
    logProgress(options);
  }
}

/** Logs one line `progress` per sink; its counters count from the start of the service. */
export function logProgress({ stats, log }: ProgressOptions): void {
  for (const { position: _position, reader, ...counters } of stats()) {
    const { unmarkedFrames = 0, damagedRanges = 0, brokenLinks = 0 } = reader ?? {};
    log.info({ ...counters, unmarkedFrames, damagedRanges, brokenLinks }, "progress");
  }
}
