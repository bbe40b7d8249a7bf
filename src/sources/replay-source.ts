import type { CertwireEvent } from "../events/event.ts";
import { isSelected, type Selection } from "../events/selection.ts";
import type { EventSource, RecordChunk } from "./event-source.ts";
import { FailingIterator } from "./failing-iterator.ts";

/** Maximum events in one chunk. */
const chunkEvents = 256;

/** Feeds the selected events to a pipeline, without positions, so that no checkpoint can move. */
export class ReplaySource implements EventSource {
  readonly #events: FailingIterator<CertwireEvent>;
  readonly #selection: Selection;

  constructor(events: AsyncIterable<CertwireEvent>, selection: Selection) {
    this.#events = new FailingIterator(events);
    this.#selection = selection;
  }

  /** Ends at an error too, since an iterator that failed cannot continue; see `throwIfFailed`. */
  async next(signal: AbortSignal): Promise<RecordChunk | null> {
    const records: { position: null; events: CertwireEvent[] }[] = [];
    while (records.length < chunkEvents && !signal.aborted) {
      const event = await this.#events.next();
      if (event === undefined) break;
      if (isSelected(event, this.#selection)) records.push({ position: null, events: [event] });
    }
    return records.length === 0 ? null : { records, more: records.length === chunkEvents };
  }

  /** Throws the error that ended the source, if there was one. Call it after the pipeline has stopped. */
  throwIfFailed(): void {
    this.#events.throwIfFailed();
  }

  close(): void {
    this.#events.close();
  }
}
