import type { NativeReaderStats } from "../native/addon.ts";
import type { PipelineStats } from "../pipeline/pipeline.ts";

/** Counters and state of the way from the journal to one sink. */
export interface SinkStats extends PipelineStats {
  /** Counters of its journal reader; absent before the first read. */
  readonly reader?: NativeReaderStats;
}
