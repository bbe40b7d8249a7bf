import type { JournalFrame } from "./frame.ts";

/** Some frames of a journal, in its order. */
export interface FrameChunk {
  readonly frames: readonly JournalFrame[];
  /** True when the next chunk is likely to be there at once, that is, while there is a backlog. */
  readonly more: boolean;
}

/** Where frames come from. */
export interface FrameSource {
  /**
   * Next frames, at least one; `null` when the source has ended or the signal was aborted. One call at a
   * time. Rejects with a CertwireError when the source cannot be read now; a later call may succeed.
   */
  next(signal: AbortSignal): Promise<FrameChunk | null>;
  close(): void;
}

/** A source that is opened at the first read, so that it begins at the checkpoint of that moment. */
export class LateFrameSource implements FrameSource {
  readonly #open: () => FrameSource;
  #source: FrameSource | undefined;

  constructor(open: () => FrameSource) {
    this.#open = open;
  }

  next(signal: AbortSignal): Promise<FrameChunk | null> {
    this.#source ??= this.#open();
    return this.#source.next(signal);
  }

  close(): void {
    this.#source?.close();
  }
}
