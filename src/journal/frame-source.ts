import type { JournalFrame } from "./frame.ts";

/** Some frames of a journal, in the order of the journal. */
export interface FrameChunk {
  readonly frames: readonly JournalFrame[];
  /** True while there is a backlog: the next chunk is likely to be there at once. */
  readonly more: boolean;
}

/** Where frames come from. */
export interface FrameSource {
  /**
   * Waits for the next frames, at least one; `null` if the source has ended or the signal was aborted. One
   * call at a time. Rejects with a CertwireError if the source cannot be read; a later call may succeed.
   */
  next(signal: AbortSignal): Promise<FrameChunk | null>;
  /** Releases the source; `next` must not be called afterwards. */
  close(): void;
}

/** A source that is opened at the first read, so that it begins at the checkpoint of that time. */
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
