import type { CertwireEvent } from "../events/event.ts";
import { isSelected, type Selection } from "../events/selection.ts";
import type { EventSource, RecordChunk } from "./event-source.ts";

/** Maximum events in one chunk. */
const chunkEvents = 256;

/** Feeds the selected events to a pipeline, without positions, so that no checkpoint can move. */
export class ReplaySource implements EventSource {
  readonly #events: AsyncIterator<CertwireEvent>;
  readonly #selection: Selection;
  #failure: { readonly error: unknown } | undefined;

  constructor(events: AsyncIterable<CertwireEvent>, selection: Selection) {
    this.#events = events[Symbol.asyncIterator]();
    this.#selection = selection;
  }

  /** Ends at an error too, since an iterator that failed cannot continue; see `throwIfFailed`. */
  async next(signal: AbortSignal): Promise<RecordChunk | null> {
    const records: { position: null; events: CertwireEvent[] }[] = [];
    while (records.length < chunkEvents && !signal.aborted) {
      const event = await this.#nextEvent();
      if (event === undefined) break;
      if (isSelected(event, this.#selection)) records.push({ position: null, events: [event] });
    }
    return records.length === 0 ? null : { records, more: records.length === chunkEvents };
  }

  /** Throws the error that ended the source, if there was one. Call it after the pipeline has stopped. */
  throwIfFailed(): void {
    if (this.#failure) throw this.#failure.error;
  }

  close(): void {
    void this.#events.return?.();
  }

  async #nextEvent(): Promise<CertwireEvent | undefined> {
    try {
      const { done, value } = await this.#events.next();
      return done ? undefined : value;
    } catch (error) {
      this.#failure = { error };
      return undefined;
    }
  }
}
