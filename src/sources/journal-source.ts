import type { CertwireEvent } from "../events/event.ts";
import type { JournalFrame } from "../journal/frame.ts";
import type { FrameSource } from "../journal/frame-source.ts";
import { decodeFrame, type EventContext } from "./decode-frame.ts";
import type { EventSource, RecordChunk, SourcedRecord } from "./event-source.ts";

/** Parts of a journal source. */
export interface JournalSourceOptions {
  readonly frames: FrameSource;
  readonly context: EventContext;
  /** What the events must wait for before they are published. Default nothing. */
  readonly ready?: () => Promise<void> | undefined;
  /** Gets the event of each gap in the journal. Default nobody. */
  readonly gapRead?: (gap: CertwireEvent) => void;
}

/** Decodes the frames of a journal. A frame that cannot be decoded is a record of its own, never skipped. */
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
      return { position, events: [], undecodable: { frame, cause: decoded.undecodable } };
    }
    const { events, content } = decoded;
    if ("gap" in content) for (const event of events) gapRead?.(event);
    return { position, events, ready: ready?.() };
  }
}
