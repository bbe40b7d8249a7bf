import { clock } from "../clock.ts";
import type {
  NativeJournalReader,
  NativeReaderOptions,
  NativeReaderStats,
  NativeWriterTimes,
} from "../native/addon.ts";
import { mebibyte } from "../units.ts";
import type { JournalFrame } from "./frame.ts";
import { framesOf, openNative, readBatch } from "./journal-reader.ts";
import type { JournalPosition } from "./position.ts";
import { listSegments } from "./segments.ts";

/** Pause before a file that cannot be read yet is tried again, in ms. */
const againAfterMs = 20;

/**
 * Reads a journal from a position, or its oldest frame, to its current end: every verified frame and every
 * gap. Changes nothing, so the service may use the same journal at the same time.
 */
export class WholeJournal {
  readonly #directory: string;
  readonly #reader: NativeJournalReader;

  /** `mode`: `durable` for the frames that are known to be flushed only. `open` is for tests. */
  constructor(
    directory: string,
    position: JournalPosition | null = null,
    mode: "committed" | "durable" = "committed",
    open: (options: NativeReaderOptions) => NativeJournalReader = openNative,
  ) {
    this.#directory = directory;
    this.#reader = open({
      directory,
      quarantineDirectory: null,
      mode,
      position,
      maxBatchBytes: mebibyte,
      maxBatchFrames: 1000,
    });
  }

  /** Frames in chunks; ends early if the signal is aborted. Rejects with CERTWIRE_JOURNAL_UNREADABLE. */
  async *chunks(signal: AbortSignal): AsyncGenerator<JournalFrame[]> {
    await listSegments(this.#directory);
    while (!signal.aborted) {
      const batch = await readBatch(this.#reader);
      if (batch !== null) yield framesOf(batch);
      else if (this.#reader.atEnd()) return;
      // For instance, a segment was deleted after it had been listed, or another process holds it.
      else await clock.delay(againAfterMs, { signal }).catch(() => undefined);
    }
  }

  stats(): NativeReaderStats {
    return this.#reader.stats();
  }

  /** The writer's durations, as recorded in the frames read so far. */
  writerTimes(): NativeWriterTimes {
    return this.#reader.writerTimes();
  }

  close(): void {
    this.#reader.close();
  }
}
