import { stat } from "node:fs/promises";
import { filetimeText } from "../events/times.ts";
import type { JournalFrame } from "../journal/frame.ts";
import type { JournalPosition } from "../journal/position.ts";
import { listSegments, startOf } from "../journal/segments.ts";
import type { NativeSegment } from "../native/addon.ts";
import { type CheckpointState, readCheckpoint } from "../state/checkpoint-store.ts";
import { stateLayout } from "../state/layout.ts";
import { type DurationSummary, summarize } from "./duration-summary.ts";
import { readJournalEnd } from "./journal-end.ts";
import { JournalMap } from "./journal-map.ts";

/** The place of one frame in the journal. */
export interface StatusPlace {
  readonly epochNumber: number;
  readonly epochId: string;
  readonly sequence: string;
  /** RFC 3339. */
  readonly time: string;
}

/** How far a sink has read the journal. */
export interface SinkStatus {
  readonly sink: string;
  readonly enabled: boolean;
  readonly checkpoint: CheckpointState;
  /** When the checkpoint was last saved, RFC 3339. */
  readonly savedTime?: string;
  readonly position?: {
    readonly epochNumber: number;
    readonly epochId: string;
    readonly segment: number;
    readonly offset: number;
    readonly sequence: string;
  };
  /** Records after the checkpoint; absent if it is not in the newest epoch. */
  readonly behindRecords?: number;
  /** Bytes of segments after the checkpoint, unused ends of older segments included. */
  readonly behindBytes: number;
}

/** What `certwire journal status` shows. */
export interface JournalStatus {
  readonly directory: string;
  readonly epochs: number;
  readonly segments: number;
  readonly bytes: number;
  /** Where the oldest segment begins; absent for an empty journal. */
  readonly first?: StatusPlace;
  /** The newest record; absent if the newest segment has none. */
  readonly last?: StatusPlace;
  readonly sinks: readonly SinkStatus[];
  /** Durations in the writer's process while it wrote the newest segment. */
  readonly writer: Readonly<Record<"append" | "write" | "flush", DurationSummary>>;
}

/** A sink whose checkpoint is read. */
export interface StatusSink {
  readonly name: string;
  readonly enabled: boolean;
}

/**
 * Reads the status of a journal; of its frames, only those of the newest segment. Without `stateDirectory` no
 * sink is shown. Rejects with CERTWIRE_JOURNAL_UNREADABLE or CERTWIRE_CHECKPOINT_FAILED.
 */
export async function journalStatus(
  directory: string,
  stateDirectory: string | undefined,
  sinks: readonly StatusSink[],
): Promise<JournalStatus> {
  const segments = await listSegments(directory);
  const map = new JournalMap(segments);
  const { last, times } = await readJournalEnd(directory, segments);
  const [first] = segments;
  const newest = segments.at(-1);
  const end = last?.position ?? (newest && startOf(newest));
  return {
    directory,
    epochs: map.epochs,
    segments: segments.length,
    bytes: map.bytes,
    ...(first && { first: beginningOf(first) }),
    ...(last && { last: placeOf(last) }),
    sinks:
      stateDirectory === undefined
        ? []
        : await Promise.all(sinks.map((sink) => sinkStatus(stateDirectory, sink, end, map))),
    writer: {
      append: summarize(times?.append),
      write: summarize(times?.write),
      flush: summarize(times?.flush),
    },
  };
}

function beginningOf({
  epochNumber,
  epochId,
  firstSequence,
  startedMs,
}: NativeSegment): StatusPlace {
  const time = new Date(startedMs).toISOString();
  return { epochNumber, epochId, sequence: String(firstSequence), time };
}

function placeOf({ epochNumber, epochId, sequence, time }: JournalFrame): StatusPlace {
  return { epochNumber, epochId, sequence: String(sequence), time: filetimeText(time) };
}

/** Reads how far a sink is; `end` is that of the journal. Rejects with CERTWIRE_CHECKPOINT_FAILED. */
export async function sinkStatus(
  stateDirectory: string,
  { name, enabled }: StatusSink,
  end: JournalPosition | undefined,
  map: JournalMap,
): Promise<SinkStatus> {
  const path = stateLayout(stateDirectory).checkpoint(name);
  const { state, position } = await readCheckpoint(path);
  const behindBytes = Math.max(0, map.bytesBefore(end) - map.bytesBefore(position));
  if (position === null) return { sink: name, enabled, checkpoint: state, behindBytes };
  const { mtime } = await stat(path);
  const isNewest = end !== undefined && position.epochId === end.epochId;
  return {
    sink: name,
    enabled,
    checkpoint: state,
    savedTime: mtime.toISOString(),
    position: { ...position, sequence: String(position.sequence) },
    ...(isNewest && { behindRecords: Number(end.sequence - position.sequence) }),
    behindBytes,
  };
}
