/** A place in the journal: everything before it has been read. */
export interface JournalPosition {
  /** Number of the writer start; it only sorts files. */
  readonly epochNumber: number;
  /** 128 random bits that identify the writer start, 32 lower-case hex digits. */
  readonly epochId: string;
  /** Index of the segment inside the epoch, from 0. */
  readonly segment: number;
  /** Byte offset of the next frame to read in that segment. */
  readonly offset: number;
  /** Sequence number of the last frame before this place; 0n when none was read in this epoch. */
  readonly sequence: bigint;
}
