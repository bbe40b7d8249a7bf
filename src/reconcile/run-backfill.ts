import type { ShrinkEvent } from "../events/outbound-event.ts";
import type { Redactor } from "../events/redaction/redactor.ts";
import type { Router } from "../events/router.ts";
import type { PipelineLimits } from "../pipeline/limits.ts";
import type { PipelineMonitor } from "../pipeline/monitor.ts";
import { ObservedSink } from "../pipeline/observed-sink.ts";
import { Pipeline } from "../pipeline/pipeline.ts";
import type { Sink } from "../sinks/sink.ts";
import type { DeadLetters } from "../state/dead-letter.ts";
import { BackfillLedger, type BackfillOptions, BackfillSource } from "./backfill.ts";

/** Where a backfill goes. */
export interface BackfillTarget {
  /** Not opened yet. */
  readonly sink: Sink;
  readonly limits: PipelineLimits;
  readonly shrink: ShrinkEvent;
  /** What the sink does not show. Default: its events show everything. */
  readonly redactor?: Redactor | undefined;
  /** Where its events go. Default: to the sink's own destination. */
  readonly router?: Router | undefined;
  readonly deadLetters: DeadLetters;
  readonly monitor: PipelineMonitor;
  /** How long to wait for acknowledgements after a stop, in ms. Default: as long as any pipeline. */
  readonly drainTimeoutMs?: number | undefined;
}

/** What became of a backfill. */
export interface Backfilled {
  /** Events that the sink has acknowledged. */
  readonly events: number;
  /** Events that became dead letters; the next backfill tries them again. */
  readonly deadLetters: number;
}

/**
 * Publishes what neither the journal has nor an earlier backfill has published, from where one that was stopped has ended.
 * What a sink has acknowledged is kept before the next batch, so that the same event is published again only if the process
 * dies in between; it has the same id then. Rejects as `missingParts`, and with CERTWIRE_CHECKPOINT_FAILED.
 */
export async function runBackfill(
  options: BackfillOptions,
  { sink, limits, shrink, redactor, router, deadLetters, monitor, drainTimeoutMs }: BackfillTarget,
  signal: AbortSignal,
): Promise<Backfilled> {
  // What a comparison that was stopped has found may be over when it goes on.
  await options.run.save({ running: undefined });
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const ledger = new BackfillLedger(options, deadLetters, () => stop.abort());
  const source = new BackfillSource(options, await options.place.read(), ledger, either);
  const pipeline = new Pipeline({
    source,
    sink: new ObservedSink(sink, (_name, events) => ledger.acknowledged(events)),
    limits,
    shrink,
    ...(redactor && { redactor }),
    ...(router && { router }),
    deadLetters: ledger,
    monitor,
    ...(drainTimeoutMs !== undefined && { drainTimeoutMs }),
  });
  await pipeline.run(either);
  ledger.throwIfFailed();
  if (!signal.aborted) {
    source.throwIfFailed();
    await options.place.remove();
  }
  return { events: ledger.acknowledgedEvents, deadLetters: ledger.buriedEvents };
}
