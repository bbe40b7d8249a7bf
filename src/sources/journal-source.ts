import type { CertwireEvent } from "../events/event.ts";
import type { JournalFrame } from "../journal/frame.ts";
import type { FrameSource } from "../journal/frame-source.ts";
import { decodeFrame, type EventContext } from "./decode-frame.ts";
import type { EventSource, RecordChunk, SourcedRecord } from "./event-source.ts";

/** Parts of a journal source. */
export interface JournalSourceOptions {
  /** Where the frames come from; closed with the source. */
  readonly frames: FrameSource;
  readonly context: EventContext;
  /** Called after each record is decoded: what its events must wait for. Default nothing. */
  readonly ready?: () => Promise<void> | undefined;
  /** Called with the event of each gap in the journal. Default nothing. */
  readonly gapRead?: (gap: CertwireEvent) => void;
}

/**
 * Decodes the frames of a journal. A frame that is not a record becomes an `undecodable` one; a frame of a later
 * version, or one that fails for want of memory or by a fault of ours, is `blocked`.
 */
export class JournalSource implements EventSource {
  readonly #options: JournalSourceOptions;

  constructor(options: JournalSourceOptions) {
    this.#options = options;
  }

  async next(signal: AbortSignal): Promise<RecordChunk | null> {
    const chunk = await this.#options.frames.next(signal);
    return chunk && { records: this.#records(chunk.frames), more: chunk.more };
  }

  close(): void {
    this.#options.frames.close();
  }

  *#records(frames: readonly JournalFrame[]): Generator<SourcedRecord> {
    for (const frame of frames) yield this.#record(frame);
  }

  #record(frame: JournalFrame): SourcedRecord {
    const { context, ready, gapRead } = this.#options;
    const { position } = frame;
    const decoded = decodeFrame(frame, context);
    if ("undecodable" in decoded) {
      const cause = decoded.undecodable;
      if (cause.code === "CERTWIRE_RECORD_UNDECODABLE") {
        return { position, events: [], undecodable: { frame, cause } };
      }
      return { position, events: [], blocked: { cause, retry: () => this.#record(frame) } };
    }
    const { events, content } = decoded;
    if ("gap" in content) for (const event of events) gapRead?.(event);
    return { position, events, frame, ready: ready?.() };
  }
}
