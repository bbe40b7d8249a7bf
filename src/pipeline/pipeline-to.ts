import type { CertwireEvent } from "../events/event.ts";
import type { ShrinkEvent } from "../events/outbound-event.ts";
import type { Redactor } from "../events/redaction/redactor.ts";
import type { Router } from "../events/router.ts";
import type { Sink } from "../sinks/sink.ts";
import type { EventSource } from "../sources/event-source.ts";
import type { DeadLetters } from "../state/dead-letter.ts";
import type { PipelineLimits } from "./limits.ts";
import type { PipelineMonitor } from "./monitor.ts";
import { ObservedSink } from "./observed-sink.ts";
import { Pipeline } from "./pipeline.ts";
import type { RoutedKindsStore } from "./routed-kinds.ts";

/** Where a pipeline goes that is not one of the service's own. */
export interface PipelineTarget {
  /** Not opened yet. */
  readonly sink: Sink;
  readonly limits: PipelineLimits;
  readonly shrink: ShrinkEvent;
  /** What the sink does not show. Default: its events show everything. */
  readonly redactor?: Redactor | undefined;
  /** Where its events go. Default: to the sink's own destination. */
  readonly router?: Router | undefined;
  /** Which kinds its broker has routed before. Default: not known. */
  readonly routedKinds?: RoutedKindsStore | undefined;
  readonly monitor: PipelineMonitor;
  /** How long to wait for acknowledgements after a stop, in ms. Default: as long as any pipeline. */
  readonly drainTimeoutMs?: number | undefined;
}

/** Takes what a target refuses, with an account of what its sink has acknowledged. */
export interface TargetLedger extends DeadLetters {
  /** Called before the next batch is published. */
  acknowledged(events: readonly Pick<CertwireEvent, "id">[]): Promise<void>;
}

/** A pipeline to a target, whose outcomes go into the ledger. */
export function pipelineTo(
  { sink, limits, shrink, redactor, router, routedKinds, monitor, drainTimeoutMs }: PipelineTarget,
  source: EventSource,
  ledger: TargetLedger,
): Pipeline {
  return new Pipeline({
    source,
    sink: new ObservedSink(sink, (_name, events) => ledger.acknowledged(events)),
    limits,
    shrink,
    ...(redactor && { redactor }),
    ...(router && { router }),
    deadLetters: ledger,
    ...(routedKinds && { routedKinds }),
    monitor,
    ...(drainTimeoutMs !== undefined && { drainTimeoutMs }),
  });
}
