import type { Destination } from "../events/destination.ts";
import type { OutboundEvent } from "../events/outbound-event.ts";

/**
 * Why a lane stopped, in the words that the pipeline acts on:
 * - `retry-identical`: the same batch may be sent again unchanged (broker busy, nack);
 * - `reset`: the connection is unusable; the sink opens a new one on the next publish;
 * - `config`, `auth`: an operator must act. Retried all the same, since the cause may be fixed at any time.
 * - `unroutable`: nothing at the destination takes the first unacknowledged event, such as a missing binding.
 *   Retried; it becomes a dead letter when no event of its kind was ever taken and its time is over;
 * - `poison`: no setting of the destination could make it accept the first unacknowledged event, which
 *   becomes a dead letter. A condition of the environment (clock, limits, rights, an outage) is never poison.
 */
export type SinkFailureKind =
  | "retry-identical"
  | "reset"
  | "config"
  | "auth"
  | "unroutable"
  | "poison";

/** A classified failure of a publish. */
export interface SinkFailure {
  readonly kind: SinkFailureKind;
  /** For the log and the dead letter; never holds a secret. */
  readonly cause: Error;
  /**
   * For `reset`: `sink` when events now belong to other lanes, or when the destination accepts smaller
   * events only. The pipeline then stops all lanes, calls `open`, makes unacknowledged events fit their
   * destination and assigns them to their lanes again. Default `lane`.
   */
  readonly scope?: "lane" | "sink";
}

/** The result of a publish: how many events are safe, and why it stopped there. */
export interface PublishOutcome {
  /** Length of the acknowledged prefix of the batch: the broker has stored these events durably. */
  readonly acknowledged: number;
  /** Absent exactly when the whole batch was acknowledged. */
  readonly failure?: SinkFailure;
}

/**
 * One or more destinations for events: each event names its own, or goes to that of the sink. The pipeline calls `open`, then `publish` any number of times, then `close`;
 * `open` may follow `close` again.
 *
 * A lane is the unit of order. The pipeline has at most one `publish` in flight per lane, while different
 * lanes publish concurrently. The pipeline owns retries, checkpoints and dead letters; a sink reports what
 * happened and never skips an event, reorders events of one partition key at a destination, or retries without end.
 *
 * `test/contract/sink-contract.ts` tests these rules; every sink must pass it.
 */
export interface Sink {
  /** Name of the sink in the configuration. */
  readonly name: string;
  /** Kind of the sink, such as `kafka`. */
  readonly kind: string;
  /** Limits that the pipeline observes when it makes batches for this sink. Change only during `open`. */
  readonly limits: SinkLimits;
  /**
   * Maximum JSON bytes of one event for a destination. One that `open` could not know yet may turn out to accept less
   * when it is first used. Absent means `limits.maxEventBytes` for all.
   */
  maxEventBytesAt?(destination: Destination): number;
  /**
   * Settings of the destinations that put events at risk, found by the last `open` or when a destination was first
   * used; those that were new were logged. Absent means none.
   */
  readonly findings?: readonly DestinationFinding[];
  /**
   * True while the destination has announced that it accepts nothing, as RabbitMQ does when it is short of
   * memory. A stop does not wait for it. Absent means false.
   */
  readonly isBlocked?: boolean;
  /**
   * Why an open sink has no connection to its destination; `undefined` while it has one, as far as that is known. It
   * shows an outage before an event does. Absent means that only a publish shows one.
   */
  readonly connectionFailure?: SinkFailure | undefined;
  /**
   * Starts to connect again after a `connectionFailure`, and returns at once. The pipeline calls this while no event is in
   * flight, with a doubling delay. Does nothing while such an attempt is under way.
   */
  reconnect?(): void;
  /**
   * Connects, checks that every destination can be used whose name is known, and determines the number of lanes.
   * Publishes nothing.
   *
   * Called before the first publish, and again after a rejection or a `reset` of scope `sink`; never while
   * a publish is in flight, and never concurrently with itself. It must release what an earlier call left
   * open. Rejects with a CertwireError; nothing stays connected then. Once `signal` is aborted, its result is
   * ignored and `close` follows.
   */
  open(signal: AbortSignal): Promise<void>;
  /** Number of lanes, at least 1 while the sink is open. Changes only during `open`. */
  readonly lanes: number;
  /**
   * Lane of an event, 0 to `lanes` - 1. Called only while the sink is open. Events with the same partition
   * key and destination get the same lane until the next `open`.
   */
  laneOf(event: OutboundEvent): number;
  /**
   * Publishes a batch, events of one partition key and destination in their order, and resolves when every event is stored
   * durably or the lane has stopped. Only an unbroken prefix counts as acknowledged; an event after a failed
   * one may have arrived, and arrives again when the rest of the batch is sent again.
   *
   * The batch is not empty, holds events of this lane only, and does not exceed `limits`, except that a
   * single larger event is sent alone. After a failure the pipeline sends the rest of the batch again,
   * unchanged; without its first event if that became a dead letter; and in new batches after `open`.
   *
   * Never rejects: every error becomes a `failure` of a known kind. After a `reset` failure the next call
   * connects again by itself. When `signal` is aborted it resolves soon, with what was acknowledged until then.
   * On a sink that is not open it resolves with a failure.
   */
  publish(
    lane: number,
    batch: readonly OutboundEvent[],
    signal: AbortSignal,
  ): Promise<PublishOutcome>;
  /**
   * Disconnects and releases every lock and file. May be called at any time, also twice, before `open`, and
   * while a publish is in flight, which then ends. Waits only a few seconds for a broker that does not answer.
   */
  close(): Promise<void>;
}

/** Limits of one batch and one event. */
export interface SinkLimits {
  /** Maximum events in one batch. */
  readonly batchEvents: number;
  /** Maximum JSON bytes in one batch; a single larger event is sent alone. */
  readonly batchBytes: number;
  /** How long a batch may wait for more events while there is a backlog, in ms. */
  readonly lingerMs: number;
  /** Maximum JSON bytes of one event; the pipeline shrinks a larger one before it calls the sink. */
  readonly maxEventBytes: number;
}

/** A setting of the destination that works, but puts events at risk. Never holds a secret. */
export interface DestinationFinding {
  readonly message: string;
  readonly hint: string;
  /** True if events that were acknowledged get lost although nothing fails. Absent means false. */
  readonly losesEvents?: true;
}
