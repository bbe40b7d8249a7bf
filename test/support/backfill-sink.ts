import type { OutboundEvent } from "../../src/events/outbound-event.ts";
import type { PublishOutcome, Sink } from "../../src/sinks/sink.ts";

/** A sink in memory that keeps what it was sent, and may refuse some of it. */
export class BackfillSink implements Sink {
  readonly name = "memory";
  readonly kind = "memory";
  readonly limits = { batchEvents: 7, batchBytes: 2 ** 20, lingerMs: 1, maxEventBytes: 2 ** 20 };
  readonly lanes = 2;
  /** Ids in the order of their acknowledgement. */
  readonly ids: string[] = [];
  /** Ids of events that it never takes. */
  readonly refused = new Set<string>();
  /** Called after each batch. */
  afterBatch: () => void = () => undefined;

  async open(): Promise<void> {}

  laneOf({ partitionKey }: OutboundEvent): number {
    return Number(/\d+$/.exec(partitionKey)?.[0] ?? 0) % this.lanes;
  }

  async publish(_lane: number, batch: readonly OutboundEvent[]): Promise<PublishOutcome> {
    const bad = batch.findIndex(({ id }) => this.refused.has(id));
    const acknowledged = bad < 0 ? batch.length : bad;
    this.ids.push(...batch.slice(0, acknowledged).map(({ id }) => id));
    this.afterBatch();
    if (bad < 0) return { acknowledged };
    const failure = { kind: "poison", cause: new Error("refused") } as const;
    return { acknowledged, failure };
  }

  async close(): Promise<void> {}
}
