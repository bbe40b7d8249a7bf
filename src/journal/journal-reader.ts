import { clock } from "../clock.ts";
import { CertwireError } from "../errors/certwire-error.ts";
import {
  loadNative,
  type NativeBatch,
  type NativeJournalReader,
  type NativeReader,
  type NativeReaderOptions,
  type NativeWriterTimes,
} from "../native/addon.ts";
import { mebibyte } from "../units.ts";
import { unlessAborted } from "../waiting.ts";
import type { FrameHashes, JournalFrame } from "./frame.ts";
import type { FrameChunk, FrameSource } from "./frame-source.ts";
import type { JournalPosition } from "./position.ts";

/** Options of a journal reader. */
export interface JournalReaderOptions {
  /** Journal directory. */
  readonly directory: string;
  /** Directory for copies of damaged ranges. Default: no copies are kept. */
  readonly quarantineDirectory?: string;
  /** `durable` (default) returns frames that are flushed, `committed` every frame that verifies. */
  readonly mode?: "durable" | "committed";
  /** Where to start; `null` is the oldest retained frame. */
  readonly position: JournalPosition | null;
  /** How often an idle reader checks for the next frame, in ms. Default 20. */
  readonly idlePollMs?: number;
  /** Maximum frames in one chunk. Default 256. */
  readonly maxBatchFrames?: number;
  /** Maximum payload bytes in one chunk; a larger frame is returned alone. Default 1 MiB. */
  readonly maxBatchBytes?: number;
  /** Called once if the position was not found, so that reading starts elsewhere. Default nothing. */
  readonly positionLost?: () => void;
}

/** Creates the native reader; tests pass their own. */
export type OpenNativeReader = (options: NativeReaderOptions) => NativeReader;

const columns = {
  type: 0,
  schema: 1,
  index: 2,
  epochNumber: 3,
  epochRow: 4,
  sequence: 5,
  time: 6,
  payloadOffset: 7,
  payloadLength: 8,
  segment: 9,
  offset: 10,
  isChainBroken: 11,
} as const;

/** How often the writer's durations are taken from the native reader, in ms. */
const timesIntervalMs = 5000;

/** How long the native reader waits for frames before it answers that there are none, in ms. */
const waitMs = 5000;
const waitAborted = new Error("the wait for frames was aborted");

/** How many numbers the table of a native batch has for each frame. */
export const tableStride = 12;

/** Index of a gap that the reader found, which is in no chain. */
const foundGapIndex = 65_535;

/** Bytes of a chain value in the buffer of a native batch. */
const hashBytes = 32;

/**
 * Tails one journal directory. `next` waits for frames, which costs the event loop nothing: the native reader checks every
 * `idlePollMs` on a thread of its own.
 */
export class JournalReader implements FrameSource {
  readonly #native: NativeReader;
  readonly #idlePollMs: number;
  readonly #maxBatchFrames: number;
  readonly #maxBatchBytes: number;
  #positionLost: (() => void) | undefined;
  /** The read under way, also after a call of `next` that was aborted: the next one gets what it finds. */
  #reading: Promise<NativeBatch | null> | undefined;
  #newest: JournalFrame | undefined;
  #writerTimes: NativeWriterTimes | undefined;
  #timesReadAt = Number.NEGATIVE_INFINITY;

  constructor(options: JournalReaderOptions, open: OpenNativeReader = openNative) {
    this.#idlePollMs = options.idlePollMs ?? 20;
    this.#maxBatchFrames = options.maxBatchFrames ?? 256;
    this.#maxBatchBytes = options.maxBatchBytes ?? mebibyte;
    this.#positionLost = options.positionLost;
    this.#native = open({
      directory: options.directory,
      quarantineDirectory: options.quarantineDirectory ?? null,
      mode: options.mode ?? "durable",
      position: options.position,
      maxBatchBytes: this.#maxBatchBytes,
      maxBatchFrames: this.#maxBatchFrames,
    });
  }

  async next(signal: AbortSignal): Promise<FrameChunk | null> {
    while (!signal.aborted) {
      const batch = await this.#read(signal);
      if (batch === undefined) break;
      this.#reportLostPosition();
      this.#readTimes();
      if (batch !== null && batch.table.length > 0) {
        const frames = framesOf(batch);
        this.#keepNewest(frames.at(-1));
        const full =
          frames.length >= this.#maxBatchFrames || batch.buffer.length * 2 >= this.#maxBatchBytes;
        return { frames, more: full };
      }
    }
    return null;
  }

  /** The next batch, `null` if there was none for some seconds; `undefined` if the signal was aborted first. */
  async #read(signal: AbortSignal): Promise<NativeBatch | null | undefined> {
    this.#reading ??= readBatch(this.#native, Math.max(waitMs, this.#idlePollMs), this.#idlePollMs);
    try {
      const batch = await unlessAborted(this.#reading, signal, { error: () => waitAborted });
      this.#reading = undefined;
      return batch;
    } catch (failure) {
      if (failure === waitAborted) return undefined;
      this.#reading = undefined;
      throw failure;
    }
  }

  /** The native reader answers only between two reads. */
  #readTimes(): void {
    const now = clock.now();
    if (now - this.#timesReadAt < timesIntervalMs) return;
    this.#timesReadAt = now;
    this.#writerTimes = this.#native.writerTimes?.();
  }

  /** The writer's durations as recorded in what was read; some seconds old, `undefined` before the first read. */
  get writerTimes(): NativeWriterTimes | undefined {
    return this.#writerTimes;
  }

  /** The newest frame that was read; `undefined` before the first. */
  get newest(): JournalFrame | undefined {
    return this.#newest;
  }

  /** A copy of its payload, which would keep the whole batch in memory. */
  #keepNewest(frame: JournalFrame | undefined): void {
    if (frame !== undefined) this.#newest = { ...frame, payload: Buffer.from(frame.payload) };
  }

  #reportLostPosition(): void {
    if (this.#positionLost === undefined || !this.#native.stats().positionLost) return;
    this.#positionLost();
    this.#positionLost = undefined;
  }

  /** Counters of the native reader. */
  stats() {
    return this.#native.stats();
  }

  close(): void {
    this.#native.close();
  }
}

/** As `NativeReader.read`. Rejects with CERTWIRE_JOURNAL_UNREADABLE. */
export async function readBatch(
  native: NativeReader,
  ...wait: readonly [waitMs?: number, pollMs?: number]
): Promise<NativeBatch | null> {
  try {
    return await native.read(...wait);
  } catch (cause) {
    if (cause instanceof CertwireError) throw cause;
    throw new CertwireError("CERTWIRE_JOURNAL_UNREADABLE", "cannot read the journal", { cause });
  }
}

/** The addon's reader. */
export function openNative(options: NativeReaderOptions): NativeJournalReader {
  return new (loadNative().JournalReader)(options);
}

/** The frames of a native batch. Their payloads are views of the batch's buffer and keep it in memory. */
export function framesOf(batch: NativeBatch): JournalFrame[] {
  const frames: JournalFrame[] = [];
  for (let row = 0; row < batch.table.length; row += tableStride) frames.push(frameAt(batch, row));
  return frames;
}

/** The chain values, which stand before the payload. */
function hashesBefore(buffer: Buffer, start: number): FrameHashes {
  const middle = start - hashBytes;
  return {
    previous: buffer.toString("hex", middle - hashBytes, middle),
    record: buffer.toString("hex", middle, start),
  };
}

function frameAt({ buffer, table, epochIds }: NativeBatch, row: number): JournalFrame {
  const wide = (column: number): bigint => {
    const value = table[row + column];
    if (value === undefined) throw new RangeError("the table of a native batch is cut off");
    return value;
  };
  const narrow = (column: number): number => Number(wide(column));
  const epochNumber = narrow(columns.epochNumber);
  const epochId = epochIds[narrow(columns.epochRow)] ?? "";
  const sequence = wide(columns.sequence);
  const start = narrow(columns.payloadOffset);
  const index = narrow(columns.index);
  return {
    type: narrow(columns.type),
    schema: narrow(columns.schema),
    index,
    epochNumber,
    epochId,
    sequence,
    time: wide(columns.time),
    payload: buffer.subarray(start, start + narrow(columns.payloadLength)),
    ...(index !== foundGapIndex && { hashes: hashesBefore(buffer, start) }),
    isChainBroken: narrow(columns.isChainBroken) === 1,
    position: {
      epochNumber,
      epochId,
      segment: narrow(columns.segment),
      offset: narrow(columns.offset),
      sequence,
    },
  };
}
