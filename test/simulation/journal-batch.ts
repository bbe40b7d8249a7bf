import { tableStride } from "../../src/journal/journal-reader.ts";
import type { NativeBatch } from "../../src/native/addon.ts";
import type { ModelEpoch } from "./journal.ts";

/** Index of a gap that a reader found. */
export const foundGapIndex = 65_535;

/** A frame on its way to the service. */
export interface OutFrame {
  readonly type: number;
  readonly schema: number;
  readonly index: number;
  readonly epoch: ModelEpoch;
  readonly sequence: number;
  readonly time: bigint;
  readonly payload: Buffer;
  readonly place: { readonly segment: number; readonly offset: number; readonly sequence: number };
}

/** Frames as the addon's reader returns them. */
export function batchOf(frames: readonly OutFrame[]): NativeBatch {
  const epochIds: string[] = [];
  const parts: Buffer[] = [];
  const table = new BigUint64Array(frames.length * tableStride);
  // Two halves of each number, which for most of them takes no BigInt.
  const halves = new Uint32Array(table.buffer);
  const put = (column: number, value: number): void => {
    halves[2 * column] = value;
    halves[2 * column + 1] = value / 2 ** 32;
  };
  let at = 0;
  for (const [row, frame] of frames.entries()) {
    const { epoch, payload, place, time } = frame;
    let epochRow = epochIds.indexOf(epoch.id);
    if (epochRow === -1) epochRow = epochIds.push(epoch.id) - 1;
    if (frame.index !== foundGapIndex) {
      parts.push(noHashes);
      at += noHashes.length;
    }
    parts.push(payload);
    const first = row * tableStride;
    put(first, frame.type);
    put(first + 1, frame.schema);
    put(first + 2, frame.index);
    put(first + 3, epoch.number);
    put(first + 4, epochRow);
    put(first + 5, frame.sequence);
    table[first + 6] = time;
    put(first + 7, at);
    put(first + 8, payload.length);
    put(first + 9, place.segment);
    put(first + 10, place.offset);
    at += payload.length;
  }
  return { buffer: Buffer.concat(parts), table, epochIds };
}

/** In the place of the chain values. */
const noHashes = Buffer.alloc(64);
