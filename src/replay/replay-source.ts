import type { CertwireEvent } from "../exit/event.ts";
import type { EventSource, RecordChunk } from "../pipeline/event-source.ts";
import { isSelected, type Selection } from "./selection.ts";

/** Most events of one chunk. */
const chunkEvents = 256;

/** The selected events of a source for a pipeline; it has no positions, so no checkpoint can move. */
export class ReplaySource implements EventSource {
  readonly #events: AsyncIterator<CertwireEvent>;
  readonly #selection: Selection;

  constructor(events: AsyncIterable<CertwireEvent>, selection: Selection) {
    this.#events = events[Symbol.asyncIterator]();
    this.#selection = selection;
  }

  async next(signal: AbortSignal): Promise<RecordChunk | null> {
    const records: { position: null; events: CertwireEvent[] }[] = [];
    while (records.length < chunkEvents && !signal.aborted) {
      const { done, value } = await this.#events.next();
      if (done) break;
      if (isSelected(value, this.#selection)) records.push({ position: null, events: [value] });
    }
    return records.length === 0 ? null : { records, more: records.length === chunkEvents };
  }

  close(): void {
    void this.#events.return?.();
  }
}
