import type { JournalPosition } from "../journal/position.ts";
import type { NativeSegment } from "../native/addon.ts";

/** The segments of a journal as one long range of bytes, to compute how far along it a position is. */
export class JournalMap {
  /** Bytes of all segment files, the unused ends of files included. */
  readonly bytes: number;
  /** Number of epochs. */
  readonly epochs: number;
  readonly #segments: readonly NativeSegment[];

  /** `segments` must be in the order of reading. */
  constructor(segments: readonly NativeSegment[]) {
    this.#segments = segments;
    this.bytes = sum(segments);
    this.epochs = new Set(segments.map(({ epochId }) => epochId)).size;
  }

  /** Bytes of the journal before a position; 0 without one. */
  bytesBefore(position: JournalPosition | null | undefined): number {
    if (!position) return 0;
    const { epochNumber, segment, offset } = position;
    const isBefore = (each: NativeSegment): boolean =>
      each.epochNumber < epochNumber ||
      (each.epochNumber === epochNumber && each.segment < segment);
    const own = this.#segments.find(
      (each) => each.epochNumber === epochNumber && each.segment === segment,
    );
    return sum(this.#segments.filter(isBefore)) + Math.min(offset, own?.bytes ?? 0);
  }
}

function sum(segments: readonly NativeSegment[]): number {
  return segments.reduce((bytes, segment) => bytes + segment.bytes, 0);
}
