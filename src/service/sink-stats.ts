import type { NativeReaderStats } from "../native/addon.ts";
import type { PipelineStats } from "../pipeline/stats.ts";

/** Counters and state of one sink's pipeline and of its journal reader. */
export interface SinkStats extends PipelineStats {
  /** Counters of the journal reader; absent before the first read. */
  readonly reader?: NativeReaderStats;
}
