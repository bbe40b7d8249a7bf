import type { PipelineTarget } from "../pipeline/pipeline-to.ts";
import type { DeadLetters } from "../state/dead-letter.ts";

/** Where a backfill or findings go. */
export interface ReconcileTarget extends PipelineTarget {
  readonly deadLetters: DeadLetters;
}
