import { pipelineTo } from "../pipeline/pipeline-to.ts";
import { BackfillLedger, type BackfillOptions, BackfillSource } from "./backfill.ts";
import type { ReconcileTarget } from "./target.ts";

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
  target: ReconcileTarget,
  signal: AbortSignal,
): Promise<Backfilled> {
  // What a comparison that was stopped has found may be over when it goes on.
  await options.run.save({ running: undefined });
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const ledger = new BackfillLedger(options, target.deadLetters, () => stop.abort());
  const source = new BackfillSource(options, await options.place.read(), ledger, either);
  await pipelineTo(target, source, ledger).run(either);
  ledger.throwIfFailed();
  if (!signal.aborted) {
    source.throwIfFailed();
    await options.place.remove();
  }
  return { events: ledger.acknowledgedEvents, deadLetters: ledger.buriedEvents };
}
