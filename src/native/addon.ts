import { resolve } from "node:path";
import { CertwireError } from "../errors/certwire-error.ts";
import type { NativeCaDatabase } from "./ca-database.ts";
import { loadAddon } from "./load-addon.ts";
import { packageRoot } from "./package-root.ts";
import type { NativeWindows } from "./windows-system.ts";

/** Where a native reader starts; the members are those of `JournalPosition`. */
export interface NativePosition {
  epochNumber: number;
  epochId: string;
  segment: number;
  offset: number;
  sequence: bigint;
}

/** Options of the native reader. */
export interface NativeReaderOptions {
  /** Journal directory. */
  directory: string;
  /** Directory for copies of damaged ranges; `null` keeps none. */
  quarantineDirectory: string | null;
  /** `durable` returns frames that a MARK covers, `committed` every frame that verifies. */
  mode: "durable" | "committed";
  /** `null` is the oldest retained frame. */
  position: NativePosition | null;
  /** Maximum payload bytes in one batch; a larger frame is returned alone. */
  maxBatchBytes: number;
  /** Maximum frames in one batch. */
  maxBatchFrames: number;
}

/**
 * Some frames: all payloads in one buffer, and a table of `tableStride` unsigned 64-bit numbers per frame:
 * type, schema, index, epoch number, row in `epochIds`, sequence, time, payload offset, payload length,
 * segment and offset of the place after the frame, and 1 if the frame does not fit into the hash chain. In the buffer
 * the 32 bytes of the chain value of the frame before and the 32 of its own stand before its payload, unless the index
 * is 65535.
 */
export interface NativeBatch {
  buffer: Buffer;
  table: BigUint64Array;
  epochIds: string[];
}

/** Counters of a native reader. */
export interface NativeReaderStats {
  /** Frames returned, gaps that the writer recorded included. */
  framesRead: number;
  /** Gaps that the reader itself found. */
  gapsFound: number;
  /** Frames returned without a MARK because they were older than 2 s. */
  unmarkedFrames: number;
  /** Ranges of bytes that do not verify. */
  quarantinedRanges: number;
  /** Those of `quarantinedRanges` that are not the torn end of an epoch. */
  damagedRanges: number;
  /** True if the given start position was not found in the directory. */
  positionLost: boolean;
  /** Frames that do not fit into the hash chain, also those that are never returned. */
  brokenLinks: number;
  /** Epoch number of the first of these; 0 without one. */
  brokenEpoch: number;
  /** Its sequence number. */
  brokenSequence: bigint;
}

/** A histogram: the lower end of each non-empty bucket in ns, and its count; ascending. */
export type DurationHistogram = readonly (readonly [fromNs: number, count: number])[];

/** Durations in the writer's process, as recorded in the MARK frames that were read. */
export interface NativeWriterTimes {
  /** Whole calls of append, including the wait for the commit. */
  append: DurationHistogram;
  write: DurationHistogram;
  flush: DurationHistogram;
}

/** Reader of one journal directory; `read` runs on another thread, one call at a time. */
export interface NativeReader {
  /**
   * The next batch; `null` if nothing new comes within `waitMs` (default 0) or before `close`; meanwhile it checks every
   * `pollMs`, on a thread of its own. Rejects if the journal cannot be read.
   */
  read(waitMs?: number, pollMs?: number): Promise<NativeBatch | null>;
  stats(): NativeReaderStats;
  /** Summed over all frames read so far; must not be called during a `read`. The addon's reader has it. */
  writerTimes?(): NativeWriterTimes;
  /** Closes its files and ends a wait; no `read` may follow. */
  close(): void;
}

/** The addon's reader. */
export interface NativeJournalReader extends NativeReader {
  /**
   * True if the last read found nothing because everything is read. False whenever another one may find more without
   * anything being written: after one that found something, failed, or met a file that cannot be read yet (deleted
   * since the listing, held by another process).
   */
  atEnd(): boolean;
  /** Summed over all frames read so far; must not be called during a `read`. */
  writerTimes(): NativeWriterTimes;
}

/** A segment file whose header verifies. */
export interface NativeSegment {
  /** File name inside the journal directory. */
  name: string;
  bytes: number;
  epochNumber: number;
  epochId: string;
  /** Index inside the epoch, from 0. */
  segment: number;
  /** Sequence number of the first frame. */
  firstSequence: bigint;
  /** When the writer began it, in ms since 1970. */
  startedMs: number;
  /** True if it belongs to the epoch that has a writer now or, without a writer, had the last one. */
  isWriters: boolean;
  /** Size of the journal beyond which its writer creates no segment, in bytes. 0: not recorded. */
  maxJournalBytes: number;
  /** Free space of the volume below which its writer creates no segment, in bytes. 0: not recorded. */
  minFreeBytes: number;
}

/** A sign of life of the exit module, which it writes every 10 s. */
export interface NativeWriterBeat {
  /** In ms since 1970. */
  timeMs: number;
  /** Records dropped since the exit module started. */
  dropped: number;
  /** Bytes of records in memory that are not written yet. */
  waitingBytes: number;
  /** Number of its condition, see docs/reference/journal-format.md. */
  condition: number;
  /** System error of the operation that fails; 0 if none does. */
  osError: number;
}

/** A lock on a file. The operating system releases it when the process ends, however it ends. */
export interface NativeFileLock {
  /** Releases the lock; a second call does nothing. */
  release(): void;
}

/** One property that a simulated CA serves: a value by its type, or the HRESULT that reading it returns. */
export type SimulatedValue =
  | { long: number }
  | { date: number }
  | { binary: Buffer }
  | { string: string }
  | { hresult: number };

/** One event of a simulated CA, as the exit module's collector reads it. */
export interface SimulatedEvent {
  /** One of `exitEvents`; `startup` records that the CA started, as Initialize does. */
  event: number;
  /** The context number that Notify gets: the request ID, or 0. */
  context: number;
  request: Record<string, SimulatedValue>;
  certificate: Record<string, SimulatedValue>;
  attributes: [name: string, value: string][];
  extensions: [oid: string, flags: number, der: Buffer][];
}

/** Result of an append: 0 committed, 1 pending, 2 dropped. */
export type AppendOutcome = 0 | 1 | 2;

/** Counters of a native writer. */
export interface NativeWriterStats {
  /** Records handed to append. */
  appended: number;
  /** Records written to the operating system. */
  committed: number;
  /** Appends that returned before their commit. */
  pendingReturns: number;
  /** Records dropped for lack of memory; a GAP counts them. */
  dropped: number;
  /** Last sequence number covered by a flush. */
  durableSequence: bigint;
  /** Bytes of records waiting in memory. */
  outstandingBytes: number;
  /** System error of the background thread; 0 when its last operation succeeded. */
  lastOsError: number;
  /** True while the background thread cannot write. */
  degraded: boolean;
}

/** The exit module's own collection and journal code, fed by a simulated CA. */
export interface NativeExitSimulator {
  /** Calls Notify for the event and returns the outcome of its append. */
  notify(event: SimulatedEvent): AppendOutcome;
  stats(): NativeWriterStats;
  /**
   * Drains, flushes and seals the journal, for at most 2 s; true if that was done in time. Call it after
   * `notify` of the shutdown event. Later events are still recorded.
   */
  shutdown(): boolean;
  /** Ends the writer's threads; the object must not be used afterwards. */
  close(): void;
}

/** Options of a simulated exit module; the defaults are the module's own. */
export interface NativeSimulatorOptions {
  /** Journal directory; it must exist. */
  directory: string;
  /** Name of the CA, as Initialize gets it. */
  caName: string;
  /** Size of an epoch's first segment, in bytes. Default 4 MiB. */
  firstSegmentBytes?: number;
  /** Size up to which later segments double, in bytes. Default 64 MiB. */
  maxSegmentBytes?: number;
  /** Size of the journal beyond which no segment is created, in bytes. Default 10 GiB. */
  maxJournalBytes?: number;
  /** Free space of the volume below which no segment is created, in bytes. Default 64 MiB. */
  minFreeBytes?: number;
  /** Memory in which records wait that cannot be written, in bytes. Default 64 MiB. */
  maxMemoryBytes?: number;
  /** Size of a simulated volume that holds nothing but the journal, in bytes. Default 0: the real one. */
  volumeBytes?: number;
  /** Time between two flushes, in ms. Default 50. */
  flushIntervalMs?: number;
}

/** The addon's exports. */
export interface NativeAddon {
  JournalReader: new (options: NativeReaderOptions) => NativeJournalReader;
  /** Every segment whose header verifies, in no particular order; other files are left out. */
  listSegments(directory: string): Promise<NativeSegment[]>;
  /** The newest sign of life of the exit module; `null` if it has left none. */
  readWriterBeat(directory: string): Promise<NativeWriterBeat | null>;
  /**
   * Deletes a file; one that is already being deleted counts as deleted. Needs no other right than DELETE,
   * whereas Node's own `unlink` on Windows also needs to write attributes, which the service may not do here.
   */
  deleteFile(path: string): Promise<void>;
  /**
   * Locks a file exclusively, creating it if needed, and writes `holder`, one line, after its first byte.
   * `null` if the lock is already held, by this process or another.
   */
  lockFile(path: string, holder: string): Promise<NativeFileLock | null>;
  ExitSimulator: new (options: NativeSimulatorOptions) => NativeExitSimulator;
  /** Absent in the addon for another system than Windows. */
  windows?: NativeWindows;
  /** Absent in the addon for another system than Windows. */
  caDatabase?: NativeCaDatabase;
}

let loaded: NativeAddon | undefined;

/** The addon of this platform, loaded once from `prebuilds`. Throws CERTWIRE_NATIVE_MISSING. */
export function loadNative(): NativeAddon {
  loaded ??= load();
  return loaded;
}

function load(): NativeAddon {
  const root = packageRoot();
  try {
    return loadAddon(root) as NativeAddon;
  } catch (cause) {
    throw new CertwireError(
      "CERTWIRE_NATIVE_MISSING",
      `no native addon for ${process.platform}-${process.arch} under ${resolve(root, "prebuilds")}`,
      { cause },
    );
  }
}
