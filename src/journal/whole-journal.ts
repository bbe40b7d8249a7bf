import {
  loadNative,
  type NativeJournalReader,
  type NativeReaderStats,
  type NativeWriterTimes,
} from "../native/addon.ts";
import type { JournalFrame } from "./frame.ts";
import { framesOf, readBatch } from "./journal-reader.ts";
import type { JournalPosition } from "./position.ts";
import { listSegments } from "./segments.ts";

/**
 * A journal from a position, or its oldest frame, to its present end: every verified frame and every
 * gap. Reads only; the service may go on working with the same journal.
 */
export class WholeJournal {
  readonly #directory: string;
  readonly #reader: NativeJournalReader;

  constructor(directory: string, position: JournalPosition | null = null) {
    this.#directory = directory;
    this.#reader = new (loadNative().JournalReader)({
      directory,
      quarantineDirectory: null,
      mode: "committed",
      position,
      maxBatchBytes: 1024 * 1024,
      maxBatchFrames: 1000,
    });
  }

  /** Frames in chunks. Rejects with a CertwireError; ends early when the signal is aborted. */
  async *chunks(signal: AbortSignal): AsyncGenerator<JournalFrame[]> {
    await listSegments(this.#directory);
    while (!signal.aborted) {
      const batch = await readBatch(this.#reader);
      if (batch === null) return;
      yield framesOf(batch);
    }
  }

  stats(): NativeReaderStats {
    return this.#reader.stats();
  }

  /** As the frames read so far tell them. */
  writerTimes(): NativeWriterTimes {
    return this.#reader.writerTimes();
  }

  close(): void {
    this.#reader.close();
  }
}
