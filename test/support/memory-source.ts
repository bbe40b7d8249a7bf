import type { CertwireEvent } from "../../src/events/event.ts";
import type { EventSource, RecordChunk, SourcedRecord } from "../../src/sources/event-source.ts";
import { samplePosition } from "./sample-events.ts";

/** A source of events in memory: one record an event, in chunks; it counts what was taken from it. */
export class MemorySource implements EventSource {
  readonly #records: SourcedRecord[];
  readonly #chunk: number;
  readonly #tail: boolean;
  #next = 0;
  taken = 0;
  isClosed = false;

  /** With `tail` the source waits for the abort at its end, as a journal does; otherwise it ends. */
  constructor(events: readonly CertwireEvent[], { chunk = 100, tail = false } = {}) {
    this.#records = events.map((event, at) => ({
      position: samplePosition(at + 1),
      events: [event],
    }));
    this.#chunk = chunk;
    this.#tail = tail;
  }

  /** A source of the given records. */
  static of(records: readonly SourcedRecord[]): MemorySource {
    const source = new MemorySource([]);
    source.#records.push(...records);
    return source;
  }

  /** Adds an event at the end. */
  push(event: CertwireEvent): void {
    const position = samplePosition(this.#records.length + 1);
    this.#records.push({ position, events: [event] });
  }

  async next(signal: AbortSignal): Promise<RecordChunk | null> {
    while (this.#next >= this.#records.length) {
      if (!this.#tail || signal.aborted) return null;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const records = this.#records.slice(this.#next, this.#next + this.#chunk);
    this.#next += records.length;
    return { records: this.#counted(records), more: this.#next < this.#records.length };
  }

  close(): void {
    this.isClosed = true;
  }

  *#counted(records: readonly SourcedRecord[]): Generator<SourcedRecord> {
    for (const record of records) {
      this.taken += 1;
      yield record;
    }
  }
}
