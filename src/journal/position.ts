/** A place in the journal, between two frames: where reading continues. */
export interface JournalPosition {
  /** Number of the epoch (one run of the writer); it only sorts epochs. */
  readonly epochNumber: number;
  /** 128 random bits that identify the epoch, 32 lower-case hex digits. */
  readonly epochId: string;
  /** Index of the segment inside the epoch, from 0. */
  readonly segment: number;
  /** Byte offset of the next frame to read in that segment. */
  readonly offset: number;
  /** Sequence number of the last frame before this place; 0n when none was read in this epoch. */
  readonly sequence: bigint;
}
