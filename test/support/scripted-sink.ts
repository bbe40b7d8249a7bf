import type { OutboundEvent } from "../../src/events/outbound-event.ts";
import type { PublishOutcome, Sink, SinkFailure, SinkLimits } from "../../src/sinks/sink.ts";
import { sequenceOf } from "./sample-events.ts";

/** One call of `publish`, as the sink saw it. */
export interface SeenBatch {
  readonly lane: number;
  readonly sequences: readonly number[];
}

/** What a scripted sink does with a batch; `undefined` accepts all of it. */
export type Script = (
  batch: SeenBatch,
  call: number,
  signal: AbortSignal,
) => PublishOutcome | undefined | Promise<PublishOutcome | undefined>;

/** A sink in memory that does what its script says and keeps what it acknowledged, lane by lane. */
export class ScriptedSink implements Sink {
  readonly name = "scripted";
  readonly kind = "scripted";
  limits: SinkLimits;
  isBlocked = false;
  connectionFailure: SinkFailure | undefined;
  reconnects = 0;
  readonly batches: SeenBatch[] = [];
  readonly accepted: number[] = [];
  readonly faults: string[] = [];
  opened = 0;
  isClosed = false;
  script: Script = () => undefined;
  onOpen: () => void = () => {};
  #lanes: number;
  readonly #busy = new Set<number>();

  constructor(lanes = 1, limits: Partial<SinkLimits> = {}) {
    this.#lanes = lanes;
    this.limits = {
      batchEvents: 10,
      batchBytes: 1_000_000,
      lingerMs: 5,
      maxEventBytes: 100_000,
      ...limits,
    };
  }

  get lanes(): number {
    return this.#lanes;
  }

  set lanes(count: number) {
    this.#lanes = count;
  }

  async open(): Promise<void> {
    this.opened += 1;
    this.onOpen();
  }

  /** Keys of the tests end in a number. */
  laneOf(event: OutboundEvent): number {
    return Number(/\d+$/.exec(event.partitionKey)?.[0] ?? 0) % this.#lanes;
  }

  async publish(
    lane: number,
    batch: readonly OutboundEvent[],
    signal: AbortSignal,
  ): Promise<PublishOutcome> {
    if (this.#busy.has(lane)) this.faults.push(`lane ${lane} was called twice at the same time`);
    for (const event of batch) {
      if (this.laneOf(event) !== lane) this.faults.push(`${event.id} came on lane ${lane}`);
    }
    this.#busy.add(lane);
    const seen = { lane, sequences: batch.map(sequenceOf) };
    this.batches.push(seen);
    const outcome = await this.script(seen, this.batches.length, signal);
    this.#busy.delete(lane);
    const acknowledged = outcome?.acknowledged ?? batch.length;
    this.accepted.push(...seen.sequences.slice(0, acknowledged));
    return outcome ?? { acknowledged };
  }

  reconnect(): void {
    this.reconnects += 1;
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}
