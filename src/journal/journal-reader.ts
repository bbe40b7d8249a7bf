import { setTimeout as delay } from "node:timers/promises";
import { CertwireError } from "../errors/certwire-error.ts";
import { loadNative, type NativeBatch, type NativeReader } from "../native/addon.ts";
import type { JournalFrame } from "./frame.ts";
import type { FrameChunk, FrameSource } from "./frame-source.ts";
import type { JournalPosition } from "./position.ts";

/** Options of a journal reader. */
export interface JournalReaderOptions {
  /** Journal directory. */
  readonly directory: string;
  /** Directory for copies of damaged ranges; default none are kept. */
  readonly quarantineDirectory?: string;
  /** `durable` (default) hands out what is flushed, `committed` whatever is verified. */
  readonly mode?: "durable" | "committed";
  /** Where to start; `null` stands for the oldest retained frame. */
  readonly position: JournalPosition | null;
  /** How often an idle reader looks for the next frame, in ms. Default 20. */
  readonly idlePollMs?: number;
  /** Most frames of one chunk. Default 256. */
  readonly maxBatchFrames?: number;
  /** Most payload bytes of one chunk; a larger frame comes alone. Default 1 MiB. */
  readonly maxBatchBytes?: number;
  /** Told once when the position was not found, so that reading starts elsewhere. Default nobody. */
  readonly positionLost?: () => void;
}

/** Makes the native reader; tests give their own. */
export type OpenNativeReader = (
  options: ConstructorParameters<ReturnType<typeof loadNative>["JournalReader"]>[0],
) => NativeReader;

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
} as const;

/** Numbers in the table of a native batch for one frame. */
export const tableStride = 11;

/** Tails one journal directory: frames in chunks, with a pause of `idlePollMs` when there are none. */
export class JournalReader implements FrameSource {
  readonly #native: NativeReader;
  readonly #idlePollMs: number;
  readonly #maxBatchFrames: number;
  readonly #maxBatchBytes: number;
  #positionLost: (() => void) | undefined;

  constructor(options: JournalReaderOptions, open: OpenNativeReader = openNative) {
    this.#idlePollMs = options.idlePollMs ?? 20;
    this.#maxBatchFrames = options.maxBatchFrames ?? 256;
    this.#maxBatchBytes = options.maxBatchBytes ?? 1024 * 1024;
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
      const batch = await readBatch(this.#native);
      this.#tellLostPosition();
      if (batch !== null && batch.table.length > 0) {
        const frames = framesOf(batch);
        const full =
          frames.length >= this.#maxBatchFrames || batch.buffer.length * 2 >= this.#maxBatchBytes;
        return { frames, more: full };
      }
      await delay(this.#idlePollMs, undefined, { signal }).catch(() => undefined);
    }
    return null;
  }

  #tellLostPosition(): void {
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

/** Next batch of a native reader. Rejects with a CertwireError. */
export async function readBatch(native: NativeReader): Promise<NativeBatch | null> {
  try {
    return await native.read();
  } catch (cause) {
    if (cause instanceof CertwireError) throw cause;
    throw new CertwireError("CERTWIRE_JOURNAL_UNREADABLE", "cannot read the journal", { cause });
  }
}

function openNative(options: Parameters<OpenNativeReader>[0]): NativeReader {
  return new (loadNative().JournalReader)(options);
}

/** The frames of a native batch. */
export function framesOf(batch: NativeBatch): JournalFrame[] {
  const frames: JournalFrame[] = [];
  for (let row = 0; row < batch.table.length; row += tableStride) frames.push(frameAt(batch, row));
  return frames;
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
  return {
    type: narrow(columns.type),
    schema: narrow(columns.schema),
    index: narrow(columns.index),
    epochNumber,
    epochId,
    sequence,
    time: wide(columns.time),
    payload: buffer.subarray(start, start + narrow(columns.payloadLength)),
    position: {
      epochNumber,
      epochId,
      segment: narrow(columns.segment),
      offset: narrow(columns.offset),
      sequence,
    },
  };
}
