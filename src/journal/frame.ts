import type { JournalPosition } from "./position.ts";

/** Frame types of the journal format (docs/reference/journal-format.md). */
export const frameTypes = { epoch: 1, event: 2, gap: 3, mark: 4, seal: 5 } as const;

/** A record of a journal with its place: what events are made of. */
export interface Frame {
  /** Of `frameTypes`: an event, or a gap (written by the writer, or found by the reader). */
  readonly type: number;
  /** Version of the payload's schema. */
  readonly schema: number;
  readonly epochNumber: number;
  readonly epochId: string;
  /** Sequence number inside the epoch; of a gap found by the reader the first sequence it covers. */
  readonly sequence: bigint;
  /** 0 for a frame of the file; 65535 for a gap found by the reader. */
  readonly index: number;
  /** UTC in 100 ns since 1601-01-01 (FILETIME), as the writer saw it. */
  readonly time: bigint;
  /** CBOR bytes of the record. */
  readonly payload: Buffer;
}

/**
 * One frame as the reader hands it over: an EVENT or a GAP. EPOCH, MARK and SEAL frames never leave the
 * reader.
 */
export interface JournalFrame extends Frame {
  /** Where reading continues once this frame is done with: the place after it. */
  readonly position: JournalPosition;
}
