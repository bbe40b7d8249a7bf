import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { CertwireError } from "../errors/certwire-error.ts";

/** Where a native reader starts; `null` stands for the oldest retained frame. */
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
  /** `durable` hands out what a MARK covers, `committed` every verified frame. */
  mode: "durable" | "committed";
  position: NativePosition | null;
  /** Most payload bytes of one batch; a single larger frame is still handed out alone. */
  maxBatchBytes: number;
  /** Most frames of one batch. */
  maxBatchFrames: number;
}

/**
 * One batch: all payloads in one buffer and a table of `tableStride` unsigned 64-bit numbers a frame:
 * type, schema, index, epoch number, row in `epochIds`, sequence, time, payload offset, payload length,
 * and of the place behind the frame: segment, offset.
 */
export interface NativeBatch {
  buffer: Buffer;
  table: BigUint64Array;
  epochIds: string[];
}

/** Counters of a native reader. */
export interface NativeReaderStats {
  framesRead: number;
  gapsFound: number;
  /** Frames handed out without a MARK because they were older than 2 s. */
  unmarkedFrames: number;
  quarantinedRanges: number;
  /** Of these, all but the torn ends of epochs. */
  damagedRanges: number;
  /** True when the given start position was not found in the directory. */
  positionLost: boolean;
}

/** A histogram: lower end of each bucket that is not empty, in ns, and its count; ascending. */
export type DurationHistogram = readonly (readonly [fromNs: number, count: number])[];

/** Durations in the writer's process, as the MARK frames that were read tell them. */
export interface NativeWriterTimes {
  /** Of whole calls of append, the wait for the commit included. */
  append: DurationHistogram;
  write: DurationHistogram;
  flush: DurationHistogram;
}

/** Reader of one journal directory; `read` runs on a worker thread, one call at a time. */
export interface NativeReader {
  /** Next batch, or `null` when nothing new can be handed out now. */
  read(): Promise<NativeBatch | null>;
  stats(): NativeReaderStats;
  close(): void;
}

/** The addon's reader. */
export interface NativeJournalReader extends NativeReader {
  /** Summed over all frames read so far; not while a read is under way. */
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
  /** True when it belongs to the epoch that a writer is in, or that was the last to have a writer. */
  isWriters: boolean;
  /** Its writer makes no segment beyond this size of the journal, in bytes. 0: not told. */
  maxJournalBytes: number;
  /** Nor below so many free bytes of the volume. */
  minFreeBytes: number;
}

/** A lock on a file. The operating system takes it back when the process ends, however it ends. */
export interface NativeFileLock {
  /** Gives the lock back; a second call does nothing. */
  release(): void;
}

/** One property that a simulated CA serves: a value, or the HRESULT it fails with. */
export type SimulatedValue =
  | { long: number }
  | { date: number }
  | { binary: Buffer }
  | { string: string }
  | { hresult: number };

/** One event of a simulated CA, as the exit module's collector will read it. */
export interface SimulatedEvent {
  /** EXITEVENT_* bit; 0x80 records that the CA started, as Initialize does. */
  event: number;
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
  /** Records that the operating system has. */
  committed: number;
  /** Appends that returned before their commit. */
  pendingReturns: number;
  /** Records dropped for lack of memory; a GAP counts them. */
  dropped: number;
  /** Last sequence number that a flush has covered. */
  durableSequence: bigint;
  /** Bytes of records that wait in memory. */
  outstandingBytes: number;
  /** System error of the background thread; 0 when its last operation succeeded. */
  lastOsError: number;
  /** True while the background thread cannot write. */
  degraded: boolean;
}

/** The exit module's own collection and journal code, fed by a simulated CA. */
export interface NativeExitSimulator {
  /** Calls Notify for the event and returns what append said. */
  notify(event: SimulatedEvent): AppendOutcome;
  stats(): NativeWriterStats;
  /**
   * Drains, flushes and seals the journal, for at most 2 s; true when that was done in time. Call it
   * after `notify` of the shutdown event (0x40). Later events are recorded all the same.
   */
  shutdown(): boolean;
  /** Ends the writer's threads; the object is of no use afterwards. */
  close(): void;
}

/** Options of a simulated exit module; sizes and intervals are those of the module by default. */
export interface NativeSimulatorOptions {
  /** Journal directory; it must exist. */
  directory: string;
  /** The text that Initialize gets. */
  caName: string;
  /** Size of an epoch's first segment, in bytes. Default 4 MiB. */
  firstSegmentBytes?: number;
  /** Size up to which later segments double, in bytes. Default 64 MiB. */
  maxSegmentBytes?: number;
  /** No new segment is made beyond this size of the journal, in bytes. Default 10 GiB. */
  maxJournalBytes?: number;
  /** Nor below so many free bytes of the volume. Default 64 MiB. */
  minFreeBytes?: number;
  /** Default 50. */
  flushIntervalMs?: number;
}

/** The addon's exports. */
export interface NativeAddon {
  JournalReader: new (options: NativeReaderOptions) => NativeJournalReader;
  /** Every segment whose header verifies, in no particular order; other files are left out. */
  listSegments(directory: string): Promise<NativeSegment[]>;
  /**
   * Deletes a file, with no other right to it than DELETE; one that is being deleted counts as deleted.
   * Node's own `unlink` also wants to write attributes on Windows, which the service may not do here.
   */
  deleteFile(path: string): Promise<void>;
  /**
   * Takes the exclusive lock of a file, which is made if it is not there, and writes `holder`, one line,
   * behind its first byte. `null` when somebody else has the lock, in this process or in another.
   */
  lockFile(path: string, holder: string): Promise<NativeFileLock | null>;
  ExitSimulator: new (options: NativeSimulatorOptions) => NativeExitSimulator;
}

const require = createRequire(import.meta.url);
let loaded: NativeAddon | undefined;

/** Loads the addon of this platform from the package's `prebuilds` directory. */
export function loadNative(): NativeAddon {
  loaded ??= load();
  return loaded;
}

function load(): NativeAddon {
  const loader = require("node-gyp-build") as (root: string) => NativeAddon;
  const root = packageRoot();
  try {
    return loader(root);
  } catch (cause) {
    throw new CertwireError(
      "CERTWIRE_NATIVE_MISSING",
      `no native addon for ${process.platform}-${process.arch} under ${resolve(root, "prebuilds")}`,
      { cause },
    );
  }
}

/** Directory of the package or checkout that this file belongs to. */
export function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    try {
      require.resolve(resolve(directory, "package.json"));
      return directory;
    } catch {
      const parent = dirname(directory);
      if (parent === directory) return directory;
      directory = parent;
    }
  }
}
