import type { EventAttributes, EventKind } from "../events/event.ts";

/**
 * An event on its way to a sink: its bytes, made once. The data is there as bytes only, since thousands of
 * events are under way and their objects would keep the garbage collector busy.
 */
export interface OutboundEvent {
  readonly id: string;
  readonly kind: EventKind;
  /** Events with the same key keep their order. */
  readonly partitionKey: string;
  readonly attributes: EventAttributes;
  /** The event in structured JSON, UTF-8, `data` last. */
  readonly json: Buffer;
}

/**
 * Why a lane stopped, in the words the pipeline acts on:
 * - `retry-identical`: the same batch may be sent again as it is (broker busy, nack, returned);
 * - `reset`: the connection is of no use any more, the sink opens a new one at the next publish;
 * - `poison`: the first unacknowledged event can never be accepted;
 * - `config`, `auth`: an operator must act; tried again all the same.
 */
export type SinkFailureKind = "retry-identical" | "reset" | "poison" | "config" | "auth";

/** A classified failure of a publish. */
export interface SinkFailure {
  readonly kind: SinkFailureKind;
  readonly cause: Error;
  /**
   * Of `reset`: `sink` when the lanes are laid out differently now. The pipeline then stops all lanes,
   * calls `open`, and gives every unacknowledged event its lane anew. Default `lane`.
   */
  readonly scope?: "lane" | "sink";
  /**
   * Of `poison`: true when a change at the broker may still save the event (a missing binding), so that
   * it is tried for a while before it becomes a dead letter. What one event has waited for in vain, others
   * of its kind do not wait for. Default false.
   */
  readonly curable?: boolean;
}

/** What became of a batch: how many events from its start are safe, and why it stopped there. */
export interface PublishOutcome {
  readonly acknowledged: number;
  /** Absent exactly when the whole batch was acknowledged. */
  readonly failure?: SinkFailure;
}

/**
 * A place that events are published to. A lane is the unit of order: a batch of one lane is published
 * in its order, and the pipeline calls `publish` for one lane only after the previous call has ended.
 * A sink never skips an event, never retries for ever, and never throws from `publish`.
 */
export interface Sink {
  readonly name: string;
  readonly kind: string;
  /** Limits that the pipeline keeps to when it makes batches for this sink. */
  readonly limits: SinkLimits;
  /**
   * Connects, and finds out how many lanes there are. Rejects with a CertwireError. May be called again
   * after a failure or a `reset` of scope `sink`, when no publish is under way.
   */
  open(signal: AbortSignal): Promise<void>;
  /** Number of lanes; may change only inside `open`. */
  readonly lanes: number;
  /** Lane of an event, 0 to lanes - 1; the same for the same partition key while the sink is open. */
  laneOf(event: OutboundEvent): number;
  publish(
    lane: number,
    batch: readonly OutboundEvent[],
    signal: AbortSignal,
  ): Promise<PublishOutcome>;
  close(): Promise<void>;
}

/** Limits of one batch and one event. */
export interface SinkLimits {
  /** Most events of one batch. */
  readonly batchEvents: number;
  /** Most JSON bytes of one batch; one larger event still goes alone. */
  readonly batchBytes: number;
  /** How long a batch may wait for more events, in ms. */
  readonly lingerMs: number;
  /** Largest JSON of one event, in bytes; a larger event is made smaller before it comes here. */
  readonly maxEventBytes: number;
}
