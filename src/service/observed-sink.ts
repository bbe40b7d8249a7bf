import type { OutboundEvent } from "../events/outbound-event.ts";
import type { PublishOutcome, Sink, SinkLimits } from "../sinks/sink.ts";

/** Told about the events that a sink has just acknowledged. */
export type Observe = (sink: string, events: readonly OutboundEvent[]) => void;

/** A sink that shows what it acknowledges to somebody, and otherwise is the sink behind it. */
export class ObservedSink implements Sink {
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
    this.#observe(this.name, batch.slice(0, outcome.acknowledged));
    return outcome;
  }

  close(): Promise<void> {
    return this.#sink.close();
  }
}
