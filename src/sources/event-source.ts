import type { CertwireEvent } from "../events/event.ts";
import type { JournalFrame } from "../journal/frame.ts";
import type { FrameSource } from "../journal/frame-source.ts";
import type { JournalPosition } from "../journal/position.ts";

/** What one record of a source gave: its events, or the reason why it gave none. */
export interface SourcedRecord {
  /** Where reading goes on once this record is done with; `null` for a source without a cursor. */
  readonly position: JournalPosition | null;
  readonly events: readonly CertwireEvent[];
  /** Present when the record could not be decoded; `events` is empty then. */
  readonly undecodable?: { readonly frame: JournalFrame; readonly cause: Error };
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

/** Turns a frame into events; throws when the frame is no valid record. */
export type DecodeFrame = (frame: JournalFrame) => readonly CertwireEvent[];

/** Decodes the frames of a journal. A frame that cannot be decoded is a record of its own, never skipped. */
export class JournalEventSource implements EventSource {
  readonly #frames: FrameSource;
  readonly #decode: DecodeFrame;

  constructor(frames: FrameSource, decode: DecodeFrame) {
    this.#frames = frames;
    this.#decode = decode;
  }

  async next(signal: AbortSignal): Promise<RecordChunk | null> {
    const chunk = await this.#frames.next(signal);
    return chunk && { records: this.#records(chunk.frames), more: chunk.more };
  }

  close(): void {
    this.#frames.close();
  }

  *#records(frames: readonly JournalFrame[]): Generator<SourcedRecord> {
    for (const frame of frames) yield this.#record(frame);
  }

  #record(frame: JournalFrame): SourcedRecord {
    const { position } = frame;
    try {
      return { position, events: this.#decode(frame) };
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(String(error));
      return { position, events: [], undecodable: { frame, cause } };
    }
  }
}
