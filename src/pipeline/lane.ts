import { clock, type Timer } from "../clock.ts";
import type { OutboundEvent } from "../events/outbound-event.ts";
import type { PublishOutcome, Sink, SinkFailure } from "../sinks/sink.ts";
import type { Ticket } from "./acknowledged-prefix.ts";
import type { PipelineMonitor } from "./monitor.ts";
import { Retry, type RetryPolicy } from "./retry.ts";
import type { UnroutableGrace } from "./unroutable-grace.ts";
import { pause } from "./waiting.ts";

/** An event in a lane, with the record it came from. */
export interface QueuedEvent {
  readonly event: OutboundEvent;
  readonly ticket: Ticket;
}

/** What a lane gets from its pipeline, and what it reports back. All lanes of a pipeline share one. */
export interface LaneHost {
  readonly sink: Sink;
  readonly retry: RetryPolicy;
  /** Decides how long an event that the broker cannot route is tried. */
  readonly grace: UnroutableGrace;
  readonly monitor: PipelineMonitor;
  /** Aborted when a publish in flight must end immediately: after the drain, never before. */
  readonly abort: AbortSignal;
  /** True while a batch that is not full may wait for more events. */
  mayWait(): boolean;
  /** Called with the events that the sink acknowledged, in the lane's order. */
  acknowledged(done: readonly QueuedEvent[]): void;
  /**
   * Makes an event a dead letter; calls `failed` after each try that failed, and tries again. False if the pipeline
   * ended before the letter was on disk: the lane keeps the event.
   */
  bury(queued: QueuedEvent, failure: SinkFailure, failed: () => void): Promise<boolean>;
  /** Called when the sink reports a new number of lanes; the pipeline then parks every lane. */
  lanesChanged(cause: Error): void;
  /** Called with an error that no sink may cause: a bug. It stops the pipeline. */
  fault(error: unknown): void;
}

/**
 * One lane of a sink: a queue and at most one batch in flight, so that events keep their order. The pipeline
 * calls `push` for each event, and `kick` after each chunk it has read; the lane does the rest itself.
 *
 * | state | entered by | what happens |
 * |---|---|---|
 * | idle | start, or an empty queue | `push` starts a full batch, `kick` any batch |
 * | lingering | `kick`, while a batch that is not full may wait | waits `lingerMs` or until the batch is full |
 * | publishing | a full batch, or the end of the wait | one `Sink.publish` with the start of the queue |
 * | retrying | a failure | waits (doubling delay), then publishes the same rest of the batch again |
 * | parked | `park`, from any state | final: what is left stays for `takeUnacknowledged` |
 *
 * After a publish the acknowledged start of the batch goes to `LaneHost.acknowledged`. What a failure does
 * with the rest depends on its kind:
 * - `poison`: the first event of the rest becomes a dead letter and the rest is published at once;
 * - `unroutable`: the same, once `grace` lets the event wait no longer;
 * - scope `sink`: the lane stops and calls `LaneHost.lanesChanged`;
 * - any other: the rest is retried without limit, exactly as it was. Nothing is added to it, because a broker
 *   may treat a sequence number that it has already seen as a duplicate, whatever its content.
 */
export class Lane {
  readonly #index: number;
  readonly #host: LaneHost;
  readonly #parking = new AbortController();
  #queue: QueuedEvent[] = [];
  #queuedBytes = 0;
  #active: Promise<void> | null = null;
  #linger: Timer | null = null;
  #due = false;
  #isWaitingForHelp = false;

  constructor(index: number, host: LaneHost) {
    this.#index = index;
    this.#host = host;
  }

  /** Adds an event at the end of the queue. Starts a batch only if that made it full. */
  push(queued: QueuedEvent): void {
    this.#queue.push(queued);
    this.#queuedBytes += queued.event.json.length;
    if (this.#active === null && this.#isFull()) this.kick();
  }

  /** Starts a batch if the lane is idle and has events, or its linger time if the batch may wait. */
  kick(): void {
    if (this.#active !== null || this.#queue.length === 0 || this.#parking.signal.aborted) return;
    if (!this.#isReady()) {
      this.#linger ??= clock.setTimeout(() => this.#lingered(), this.#host.sink.limits.lingerMs);
      return;
    }
    this.#active = this.#run()
      .catch((error: unknown) => {
        this.#parking.abort();
        this.#host.fault(error);
      })
      .finally(() => {
        this.#active = null;
        this.kick();
      });
  }

  /** True while the lane cannot go on before someone acts or an outage ends. */
  get isWaitingForHelp(): boolean {
    return this.#isWaitingForHelp;
  }

  /** True when the lane has nothing to publish, may not, or cannot before someone acts or an outage ends. */
  get isAtRest(): boolean {
    if (this.#isWaitingForHelp) return true;
    return this.#active === null && (this.#queue.length === 0 || this.#parking.signal.aborted);
  }

  /** Starts no further batch or retry; resolves when the publish in flight has ended. Cannot be undone. */
  async park(): Promise<void> {
    this.#parking.abort();
    this.#stopLinger();
    await this.#active;
  }

  /** Removes and returns the unacknowledged events of a parked lane, in their order. */
  takeUnacknowledged(): QueuedEvent[] {
    const queue = this.#queue;
    this.#queue = [];
    this.#queuedBytes = 0;
    return queue;
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0 && !this.#parking.signal.aborted && this.#isReady()) {
      const left = await this.#publish(this.#takeBatch());
      this.#queue.unshift(...left);
      for (const { event } of left) this.#queuedBytes += event.json.length;
    }
  }

  #isReady(): boolean {
    return this.#due || this.#isFull() || !this.#host.mayWait();
  }

  #isFull(): boolean {
    const { batchEvents, batchBytes } = this.#host.sink.limits;
    return this.#queue.length >= batchEvents || this.#queuedBytes >= batchBytes;
  }

  #lingered(): void {
    this.#linger = null;
    this.#due = true;
    this.kick();
  }

  #stopLinger(): void {
    if (this.#linger !== null) clock.clear(this.#linger);
    this.#linger = null;
    this.#due = false;
  }

  #takeBatch(): QueuedEvent[] {
    this.#stopLinger();
    const { batchEvents, batchBytes } = this.#host.sink.limits;
    let bytes = 0;
    let count = 0;
    for (const { event } of this.#queue) {
      if (count === batchEvents || (count > 0 && bytes + event.json.length > batchBytes)) break;
      bytes += event.json.length;
      count += 1;
    }
    this.#queuedBytes -= bytes;
    return this.#queue.splice(0, count);
  }

  /** Publishes a batch until all of it is finished; returns what is left if the lane was parked first. */
  async #publish(batch: readonly QueuedEvent[]): Promise<readonly QueuedEvent[]> {
    const retry = new Retry(this.#host.retry);
    let rest = batch;
    while (rest.length > 0) {
      const { acknowledged, failure } = await this.#tryOnce(rest);
      if (acknowledged > 0) {
        this.#host.acknowledged(rest.slice(0, acknowledged));
        rest = rest.slice(acknowledged);
        this.#recovered(retry);
      }
      if (failure === undefined) continue;
      const next = await this.#handle(failure, rest, retry);
      if (next === null) return rest;
      rest = next;
    }
    this.#recovered(retry);
    return rest;
  }

  async #tryOnce(rest: readonly QueuedEvent[]): Promise<PublishOutcome> {
    const { sink, monitor, abort } = this.#host;
    const batch = rest.map(({ event }) => event);
    monitor.publishing(batch.length);
    const startedAt = clock.now();
    const outcome = await sink.publish(this.#index, batch, abort);
    monitor.published(batch.length, clock.now() - startedAt);
    if (outcome.acknowledged < batch.length && outcome.failure === undefined) {
      throw new TypeError(`sink ${sink.name} stopped without a reason`);
    }
    return outcome;
  }

  /** Handles a failure; returns what to publish next, or `null` if the lane must stop. */
  async #handle(
    failure: SinkFailure,
    rest: readonly QueuedEvent[],
    retry: Retry,
  ): Promise<readonly QueuedEvent[] | null> {
    if (this.#host.abort.aborted) return null;
    if (failure.scope === "sink") {
      this.#host.lanesChanged(failure.cause);
      return null;
    }
    const delayMs = retry.nextDelayMs();
    const { monitor } = this.#host;
    const isAlarm = monitor.publishFailed(this.#index, failure, retry.failures, delayMs);
    const [head, ...tail] = rest;
    if (head !== undefined && this.#isHopeless(head, failure, delayMs)) {
      if (!(await this.#bury(head, failure))) return null;
      this.#recovered(retry);
      monitor.retried(failure.kind, tail.length);
      return tail;
    }
    this.#isWaitingForHelp = isAlarm;
    await pause(delayMs, this.#parking.signal);
    this.#isWaitingForHelp = false;
    if (this.#parking.signal.aborted) return null;
    monitor.retried(failure.kind, rest.length);
    return rest;
  }

  async #bury(head: QueuedEvent, failure: SinkFailure): Promise<boolean> {
    const isBuried = await this.#host.bury(head, failure, () => {
      this.#isWaitingForHelp = true;
    });
    this.#isWaitingForHelp = false;
    return isBuried;
  }

  #isHopeless({ event }: QueuedEvent, { kind }: SinkFailure, delayMs: number): boolean {
    if (kind === "unroutable") return !this.#host.grace.mayWait(event, delayMs);
    return kind === "poison";
  }

  #recovered(retry: Retry): void {
    if (retry.failures > 0) this.#host.monitor.recovered(this.#index, retry.failures);
    retry.succeeded();
  }
}
