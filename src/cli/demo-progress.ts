import type { OutboundEvent } from "../events/outbound-event.ts";

/** How far one sink is with the records of this run. */
interface SinkProgress {
  records: number;
  lastSequence: string | undefined;
  hasStop: boolean;
}

/** Counts the records of this run that each sink has acknowledged; those of earlier runs do not count. */
export class DemoProgress {
  readonly #startedAt = Date.now();
  readonly #sinks = new Map<string, SinkProgress>();

  /** Counts events that a sink has acknowledged, in the order of the journal. */
  acknowledged(sink: string, events: readonly OutboundEvent[]): void {
    const progress = this.#of(sink);
    for (const { kind, attributes } of events) {
      if (Date.parse(attributes.recordedtime) < this.#startedAt) continue;
      // The CRLs of one publication are one record; their events follow each other directly.
      if (attributes.sequence !== progress.lastSequence) progress.records += 1;
      progress.lastSequence = attributes.sequence;
      progress.hasStop ||= kind === "ca.stopped";
    }
  }

  /** Records of this run that a sink has acknowledged. */
  records(sink: string): number {
    return this.#of(sink).records;
  }

  /** True once a sink has the last record of this run. */
  isDone(sink: string): boolean {
    return this.#of(sink).hasStop;
  }

  #of(sink: string): SinkProgress {
    const known = this.#sinks.get(sink);
    if (known) return known;
    const progress = { records: 0, lastSequence: "", hasStop: false };
    this.#sinks.set(sink, progress);
    return progress;
  }
}
