import type { Destination } from "../events/destination.ts";
import type { OutboundEvent } from "../events/outbound-event.ts";
import type {
  DestinationFinding,
  PublishOutcome,
  Sink,
  SinkFailure,
  SinkLimits,
} from "../sinks/sink.ts";

/**
 * Called with a sink's name and the events it has just acknowledged, in their order. The lane goes on once it has
 * ended. Must not throw or reject.
 */
export type Observe = (sink: string, events: readonly OutboundEvent[]) => void | Promise<void>;

/**
 * Wraps a sink and passes every acknowledged event to an observer. `Required`, so that no optional member of a sink is
 * left out.
 */
export class ObservedSink implements Required<Sink> {
  readonly #sink: Sink;
  readonly #observe: Observe;

  constructor(sink: Sink, observe: Observe) {
    this.#sink = sink;
    this.#observe = observe;
  }

  get name(): string {
    return this.#sink.name;
  }

  get kind(): string {
    return this.#sink.kind;
  }

  get limits(): SinkLimits {
    return this.#sink.limits;
  }

  get lanes(): number {
    return this.#sink.lanes;
  }

  get findings(): readonly DestinationFinding[] {
    return this.#sink.findings ?? [];
  }

  get isBlocked(): boolean {
    return this.#sink.isBlocked ?? false;
  }

  get connectionFailure(): SinkFailure | undefined {
    return this.#sink.connectionFailure;
  }

  reconnect(): void {
    this.#sink.reconnect?.();
  }

  maxEventBytesAt(destination: Destination): number {
    return this.#sink.maxEventBytesAt?.(destination) ?? this.limits.maxEventBytes;
  }

  open(signal: AbortSignal): Promise<void> {
    return this.#sink.open(signal);
  }

  laneOf(event: OutboundEvent): number {
    return this.#sink.laneOf(event);
  }

  async publish(
    lane: number,
    batch: readonly OutboundEvent[],
    signal: AbortSignal,
  ): Promise<PublishOutcome> {
    const outcome = await this.#sink.publish(lane, batch, signal);
    await this.#observe(this.name, batch.slice(0, outcome.acknowledged));
    return outcome;
  }

  close(): Promise<void> {
    return this.#sink.close();
  }
}
