import type { CertwireEvent } from "../events/event.ts";
import type { JournalFrame } from "../journal/frame.ts";
import type { JournalPosition } from "../journal/position.ts";

/** What one record of a source gave: its events, or the reason why it gave none. */
export interface SourcedRecord {
  /** Where reading continues once this record is done with; `null` for a source without a cursor. */
  readonly position: JournalPosition | null;
  readonly events: readonly CertwireEvent[];
  /** Present when the record could not be decoded; `events` is empty then. */
  readonly undecodable?: { readonly frame: JournalFrame; readonly cause: Error };
  /** Present when the events must wait for something before they are published; never rejects. */
  readonly ready?: Promise<void> | undefined;
}

/** Some records in their order, decoded as they are taken. */
export interface RecordChunk {
  readonly records: Iterable<SourcedRecord>;
  /** True while there is a backlog: the next chunk is likely to be there at once. */
  readonly more: boolean;
}

/** Where a pipeline gets its events from. */
export interface EventSource {
  /** As `FrameSource.next`. */
  next(signal: AbortSignal): Promise<RecordChunk | null>;
  close(): void;
}
