import type { CertwireEvent } from "../events/event.ts";
import type { JournalFrame } from "../journal/frame.ts";
import type { JournalPosition } from "../journal/position.ts";

/** One record of a source: its events, or the reason why it has none. */
export interface SourcedRecord {
  /** Where reading continues after this record; `null` for a source without positions. */
  readonly position: JournalPosition | null;
  readonly events: readonly CertwireEvent[];
  /** Present if the record could not be decoded; `events` is empty then. */
  readonly undecodable?: { readonly frame: JournalFrame; readonly cause: Error };
  /** Present if the record cannot be decoded now, for a reason that is not in the record; it waits. */
  readonly blocked?: { readonly cause: Error; readonly retry: () => SourcedRecord };
  /** The frame that the events were made of; absent for a source without frames. */
  readonly frame?: JournalFrame;
  /** What to wait for before the events may be published. Never rejects. Default nothing. */
  readonly ready?: Promise<void> | undefined;
}

/** Some records in the order of the source, each decoded when the iteration reaches it. */
export interface RecordChunk {
  readonly records: Iterable<SourcedRecord>;
  /** True while there is a backlog: the next chunk is likely to be there at once. */
  readonly more: boolean;
}

/** Where a pipeline gets its events from. */
export interface EventSource {
  /**
   * Waits for the next records, at least one; `null` if the source has ended or the signal was aborted. One
   * call at a time. Rejects if the source cannot be read; the pipeline then calls it again later.
   */
  next(signal: AbortSignal): Promise<RecordChunk | null>;
  /** Releases the source; `next` is not called afterwards. */
  close(): void;
}
