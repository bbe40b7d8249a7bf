import type { JournalPosition } from "../journal/position.ts";
import type { PipelineCounters } from "./monitor.ts";

/** What a pipeline is doing; see `Pipeline` for the transitions and `PipelineHealth` for the middle three. */
type PipelineState = "connecting" | "publishing" | "retrying" | "alarm" | "draining" | "stopped";

/** A snapshot of a pipeline's state and counters. */
export interface PipelineStats extends PipelineCounters {
  /** Name of the sink. */
  readonly sink: string;
  /** Kind of the sink, such as `kafka`. */
  readonly kind: string;
  readonly state: PipelineState;
  /** False before the sink was opened, and while its connection is lost or its publishes fail for want of one. */
  readonly isConnected: boolean;
  /** Number of lanes; 0 before the sink was opened. */
  readonly lanes: number;
  /** Events read since the oldest one that is not finished, itself included. */
  readonly inFlightEvents: number;
  /** JSON bytes of the unfinished events, which are in memory. */
  readonly inFlightBytes: number;
  /** Where reading continues after all that is acknowledged; `null` before the first acknowledgement. */
  readonly position: JournalPosition | null;
  /** `recordedtime` of the oldest event that is not finished; absent when nothing is in flight. */
  readonly oldestUnacknowledged?: string;
}
