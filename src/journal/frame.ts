import type { JournalPosition } from "./position.ts";

/** Frame types of the journal format (docs/reference/journal-format.md). */
export const frameTypes = { epoch: 1, event: 2, gap: 3, mark: 4, seal: 5 } as const;

/** A record of a journal and its place in it: what events are made from. */
export interface Frame {
  /** One of `frameTypes`: an event, or a gap (recorded by the writer, or found by the reader). */
  readonly type: number;
  /** Version of the payload's schema. */
  readonly schema: number;
  /** Number of the epoch (one run of the writer); it only sorts epochs. */
  readonly epochNumber: number;
  /** 128 random bits that identify the epoch, 32 lower-case hex digits. */
  readonly epochId: string;
  /** Sequence number inside the epoch; for a gap found by the reader, the first sequence it covers. */
  readonly sequence: bigint;
  /** 0 for a frame of the file; 65535 for a gap found by the reader. */
  readonly index: number;
  /** UTC in 100 ns since 1601-01-01 (FILETIME), as the writer saw it. */
  readonly time: bigint;
  /** CBOR bytes of the record. */
  readonly payload: Buffer;
  /** Its place in the hash chain of the epoch; absent for a gap found by the reader, which is in no chain. */
  readonly hashes?: FrameHashes | undefined;
}

/** Two values of a hash chain: SHA-256 in 64 lower-case hex digits each. */
export interface FrameHashes {
  /** The value of the EVENT or GAP frame before; of the first one, `chainStart`. */
  readonly previous: string;
  /** The value of the frame itself. */
  readonly record: string;
}

/**
 * One frame as the reader returns it: an EVENT or a GAP. EPOCH, MARK and SEAL frames never leave the reader.
 */
export interface JournalFrame extends Frame {
  /** Where reading continues after this frame. */
  readonly position: JournalPosition;
  /** True if its content, or its place in the chain, is not what the writer wrote. It is an event all the same. */
  readonly isChainBroken: boolean;
}
