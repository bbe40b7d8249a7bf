import type { OutboundEvent } from "../events/outbound-event.ts";
import type { PublishOutcome, Sink, SinkFailure } from "../sinks/sink.ts";
import type { Ticket } from "./acknowledged-prefix.ts";
import type { PipelineMonitor } from "./monitor.ts";
import { Retry, type RetryPolicy } from "./retry.ts";
import type { UnroutableGrace } from "./unroutable-grace.ts";
import { pause } from "./waiting.ts";

/** An event in a lane, with the record that it came from. */
export interface QueuedEvent {
  readonly event: OutboundEvent;
  readonly ticket: Ticket;
}

/** What a lane needs from its pipeline. */
export interface LaneHost {
  readonly sink: Sink;
  readonly retry: RetryPolicy;
  /** How long a curable poison is tried. */
  readonly grace: UnroutableGrace;
  readonly monitor: PipelineMonitor;
  /** Aborted when a publish under way must end. */
  readonly abort: AbortSignal;
  /** True while a batch that is not full may wait for more events. */
  mayWait(): boolean;
  acknowledged(done: readonly QueuedEvent[]): void;
  /** Makes an event a dead letter; false when the pipeline ended before that was on disk. */
  bury(queued: QueuedEvent, failure: SinkFailure): Promise<boolean>;
  /** The sink's lanes are laid out differently now. */
  lanesChanged(cause: Error): void;
  /** A fault of our own. */
  fault(error: unknown): void;
}

/**
 * One lane: a queue, batches made of it, and the only retry loop. At most one batch is under way. A batch
 * that failed is sent again exactly as it was, less its acknowledged start; nothing is added to it, since
 * a broker may take the same sequence number with other content for a repetition.
 */
export class Lane {
  readonly #index: number;
  readonly #host: LaneHost;
  readonly #parking = new AbortController();
  #queue: QueuedEvent[] = [];
  #queuedBytes = 0;
  #active: Promise<void> | null = null;
  #linger: NodeJS.Timeout | null = null;
  #due = false;

  constructor(index: number, host: LaneHost) {
    this.#index = index;
    this.#host = host;
  }

  /** Adds an event. A full batch goes out at once, anything else with `kick`. */
  push(queued: QueuedEvent): void {
    this.#queue.push(queued);
    this.#queuedBytes += queued.event.json.length;
    if (this.#active === null && this.#isFull()) this.kick();
  }

  /** Starts a batch if the lane is idle and something waits; with a backlog it waits to be full. */
  kick(): void {
    if (this.#active !== null || this.#queue.length === 0 || this.#parking.signal.aborted) return;
    if (!this.#isReady()) {
      this.#linger ??= setTimeout(() => this.#lingered(), this.#host.sink.limits.lingerMs);
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

  /** Starts no further batch or retry; resolves when the publish under way has ended. */
  async park(): Promise<void> {
    this.#parking.abort();
    this.#stopLinger();
    await this.#active;
  }

  /** Of a parked lane: what is not acknowledged, in order. */
  takeAll(): QueuedEvent[] {
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
    if (this.#linger !== null) clearTimeout(this.#linger);
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

  /** Publishes a batch until all of it is done with; returns what is left when the lane was parked. */
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
    const outcome = await sink.publish(this.#index, batch, abort);
    if (outcome.acknowledged < batch.length && outcome.failure === undefined) {
      throw new TypeError(`sink ${sink.name} stopped without a reason`);
    }
    return outcome;
  }

  /** Deals with a failure; returns what to publish next, or `null` when the lane must stop. */
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
    this.#host.monitor.publishFailed(this.#index, failure, retry.failures, delayMs);
    const [head, ...tail] = rest;
    if (head !== undefined && this.#isDead(head, failure, delayMs)) {
      if (!(await this.#host.bury(head, failure))) return null;
      this.#recovered(retry);
      return tail;
    }
    await pause(delayMs, this.#parking.signal);
    return this.#parking.signal.aborted ? null : rest;
  }

  #isDead({ event }: QueuedEvent, { kind, curable }: SinkFailure, delayMs: number): boolean {
    if (kind !== "poison") return false;
    return curable !== true || !this.#host.grace.mayWait(event, delayMs);
  }

  #recovered(retry: Retry): void {
    if (retry.failures > 0) this.#host.monitor.recovered(this.#index, retry.failures);
    retry.succeeded();
  }
}
