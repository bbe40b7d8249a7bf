import type { CertwireEvent } from "../events/event.ts";
import type { EventFilter } from "../events/event-filter.ts";
import { isSelected, type Selection } from "../events/selection.ts";
import type { EventSource, RecordChunk } from "./event-source.ts";
import { FailingIterator } from "./failing-iterator.ts";

/** Maximum events in one chunk. */
const chunkEvents = 256;

/** Feeds the selected events to a pipeline, without positions, so that no checkpoint can move. */
export class ReplaySource implements EventSource {
  readonly #events: FailingIterator<CertwireEvent>;
  readonly #selection: Selection;
  readonly #filter: EventFilter | undefined;

  /** `filter`: that of the sink. Default: the sink wants every event. */
  constructor(events: AsyncIterable<CertwireEvent>, selection: Selection, filter?: EventFilter) {
    this.#events = new FailingIterator(events);
    this.#selection = selection;
    this.#filter = filter;
  }

  /** Ends at an error too, since an iterator that failed cannot continue; see `throwIfFailed`. */
  async next(signal: AbortSignal): Promise<RecordChunk | null> {
    const records: { position: null; events: CertwireEvent[] }[] = [];
    while (records.length < chunkEvents && !signal.aborted) {
      const event = await this.#events.next();
      if (event === undefined) break;
      if (this.#isChosen(event)) records.push({ position: null, events: [event] });
    }
    return records.length === 0 ? null : { records, more: records.length === chunkEvents };
  }

  #isChosen(event: CertwireEvent): boolean {
    return isSelected(event, this.#selection) && this.#filter?.wants(event) !== false;
  }

  /** Throws the error that ended the source, if there was one. Call it after the pipeline has stopped. */
  throwIfFailed(): void {
    this.#events.throwIfFailed();
  }

  close(): void {
    this.#events.close();
  }
}
