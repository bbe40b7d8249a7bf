import { stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { describeCause } from "../errors/describe-cause.ts";
import { filetimeText, unixMsOf } from "../events/times.ts";
import { type LockHolder, readLockHolder } from "../files/directory-lock.ts";
import { ignoreMissing } from "../files/existing.ts";
import { isLocked } from "../files/lock-probe.ts";
import type { JournalFrame } from "../journal/frame.ts";
import type { JournalPosition } from "../journal/position.ts";
import { type RetentionPolicy, spaceOf, withWriterLimits } from "../journal/retention.ts";
import { listSegments, startOf } from "../journal/segments.ts";
import { capacityOf } from "../journal/space-rule.ts";
import { WholeJournal } from "../journal/whole-journal.ts";
import { readWriterBeat, type WriterBeat } from "../journal/writer-beat.ts";
import { summarize } from "../journal-tools/duration-summary.ts";
import { isCaStop, type JournalEnd, readJournalEnd } from "../journal-tools/journal-end.ts";
import { JournalMap } from "../journal-tools/journal-map.ts";
import { type SinkStatus, sinkStatus } from "../journal-tools/read-status.ts";
import type { NativeSegment } from "../native/addon.ts";
import { totalBytes } from "../state/dead-letter-files.ts";
import { reconcileSinkName, type StateLayout, stateLayout } from "../state/layout.ts";
import type { CertificateFact, HealthFacts, JournalFacts, SinkFacts } from "./facts.ts";
import { maxListedSegments, type Status } from "./status.ts";

/** An enabled sink, as the configuration has it. */
export interface SinkOnDisk {
  readonly name: string;
  readonly kind: string;
  readonly maxDeadLetterBytes: number;
  readonly certificates: readonly CertificateFact[];
}

/** Where to look. */
export interface DiskPlaces {
  readonly journalDirectory: string;
  readonly stateDirectory: string;
  readonly policy: RetentionPolicy;
  readonly sinks: readonly SinkOnDisk[];
  /** Certificate files that no sink uses. */
  readonly certificates: readonly CertificateFact[];
}

/** What was found: what the health follows from, and what is shown. */
export interface DiskFindings extends Pick<Status, "journal" | "sinks"> {
  readonly facts: HealthFacts;
  readonly service: Omit<Status["service"], "version">;
  /** The newest record of the journal. */
  readonly last?: JournalFrame;
}

/**
 * Reads what the journal and the state directory show, without a lock or a write. `known`: the newest frame that was read
 * before, so that less of the journal has to be read. Never rejects.
 */
export async function inspectDisk(
  places: DiskPlaces,
  nowMs: number,
  known?: JournalFrame,
): Promise<DiskFindings> {
  const layout = stateLayout(places.stateDirectory);
  const found: { journalError?: string; stateError?: string } = {};
  const journal = await inspectJournal(places, known).catch((error: unknown) => {
    found.journalError = describeCause(error);
    return undefined;
  });
  const service = await inspectService(places.stateDirectory).catch(() => ({
    state: "unknown" as const,
  }));
  const each = await Promise.all(
    places.sinks.map((sink) => inspectSink(sink, places, layout, journal)),
  );
  const { sinks, stateError } = sharedError(each);
  if (stateError !== undefined) found.stateError = stateError;
  const isStopped = service.state === "stopped";
  return {
    ...(journal && { journal: journal.shown }),
    ...(journal?.last && { last: journal.last }),
    sinks: sinks.map(({ shown }) => shown),
    service,
    facts: {
      service: service.state,
      sinks: sinks.map(({ facts }) => ageOf(facts, nowMs, isStopped)),
      certificates: places.certificates,
      ...(journal && { journal: journal.facts }),
      ...found,
    },
  };
}

interface JournalOnDisk {
  readonly shown: NonNullable<Status["journal"]>;
  readonly facts: JournalFacts;
  readonly map: JournalMap;
  readonly end: JournalPosition | undefined;
  readonly last: JournalFrame | undefined;
}

async function inspectJournal(
  { journalDirectory, policy }: DiskPlaces,
  known?: JournalFrame,
): Promise<JournalOnDisk> {
  const segments = await listSegments(journalDirectory);
  const found = await readJournalEnd(journalDirectory, segments, known?.position);
  // A frame that was read before may be of an older segment, or of a journal that is gone.
  const isThere = segments.some(({ epochId }) => epochId === known?.epochId);
  const end = found.last || !known || !isThere ? found : { ...found, last: known };
  const newest = segments.at(-1);
  const isAlive = await isLocked(join(journalDirectory, "writer.lock")).catch(() => undefined);
  // Whoever may not read the lock file does not know how the exit module is; the rest is still true.
  const beat = await readWriterBeat(journalDirectory).catch(() => undefined);
  const facts = await journalFacts(journalDirectory, { segments, policy, end, isAlive, beat });
  const { last, times } = end;
  const map = new JournalMap(segments);
  return {
    facts,
    map,
    last,
    end: last?.position ?? (newest && startOf(newest)),
    shown: {
      directory: journalDirectory,
      epochs: map.epochs,
      segments: segments.length,
      bytes: map.bytes,
      capacityBytes: facts.capacityBytes,
      maxBytes: facts.maxBytes,
      minFreeBytes: facts.minFreeBytes,
      freeBytes: facts.freeBytes,
      newestSegments: segments.slice(-maxListedSegments).map(shownSegment),
      ...(facts.gapMs !== undefined && { newestGapTime: new Date(facts.gapMs).toISOString() }),
      ...(last && { newest: placeOf(last) }),
      writer: writerState(isAlive),
      ...(beat && { writerBeat: shownBeat(beat) }),
      durations: {
        append: summarize(times?.append),
        write: summarize(times?.write),
        flush: summarize(times?.flush),
      },
    },
  };
}

function shownSegment({
  name,
  epochNumber,
  segment,
  firstSequence,
  startedMs,
  bytes,
}: NativeSegment) {
  const startedTime = new Date(startedMs).toISOString();
  return { name, epochNumber, segment, firstSequence: String(firstSequence), startedTime, bytes };
}

function shownBeat({ timeMs, ...rest }: WriterBeat) {
  return { time: new Date(timeMs).toISOString(), ...rest };
}

function writerState(isAlive: boolean | undefined): "running" | "stopped" | "unknown" {
  if (isAlive === undefined) return "unknown";
  return isAlive ? "running" : "stopped";
}

function placeOf(frame: NonNullable<JournalEnd["last"]>) {
  const { epochNumber, epochId, sequence, time } = frame;
  return { epochNumber, epochId, sequence: String(sequence), time: filetimeText(time) };
}

/** What the facts of a journal are made of. */
export interface JournalParts {
  readonly segments: readonly NativeSegment[];
  readonly policy: RetentionPolicy;
  readonly end: JournalEnd;
  /** Whether the exit module holds its lock. */
  readonly isAlive: boolean | undefined;
  readonly beat: WriterBeat | undefined;
}

/** The facts of a journal. Rejects with the error of the file system. */
export async function journalFacts(
  directory: string,
  { segments, policy, end, isAlive, beat }: JournalParts,
): Promise<JournalFacts> {
  const limits = withWriterLimits(policy, segments);
  const writers = withWriterLimits(
    { ...policy, maxBytes: Number.MAX_SAFE_INTEGER, minFreeBytes: 0 },
    segments,
  );
  const space = await spaceOf(directory);
  const { last, gapMs } = end;
  return {
    capacityBytes: capacityOf({ ...limits, ...space }),
    maxBytes: limits.maxBytes,
    freeBytes: space.freeBytes,
    minFreeBytes: limits.minFreeBytes,
    writerMinFreeBytes: writers.minFreeBytes,
    ...(isAlive !== undefined && { isWriterAlive: isAlive }),
    ...(beat && { writerBeat: beat }),
    ...(last && { isCaStopped: isCaStop(last), newestMs: unixMsOf(last.time) }),
    ...(gapMs !== undefined && { gapMs }),
  };
}

/** The service that holds a state directory. Rejects with the error of the file system. */
export async function inspectService(stateDirectory: string): Promise<DiskFindings["service"]> {
  const layout = stateLayout(stateDirectory);
  const path = join(layout.directory, layout.lockName);
  const isHeld = await isLocked(path);
  const holder = await readLockHolder(path).catch(() => undefined);
  const state = stateOf(isHeld, holder);
  if (state !== "running" || holder === undefined) return { state };
  const { pid, host, startedAt } = holder;
  return { state, pid, host, startedTime: startedAt };
}

/**
 * State of the service whose lock is held, is not, or cannot be seen (`undefined`), and whom its file names. No machine
 * sees the locks of another one. On this host a holder whose lock cannot be seen runs if its process is there.
 */
export function stateOf(
  isHeld: boolean | undefined,
  holder: Pick<LockHolder, "pid" | "host"> | undefined,
): "running" | "stopped" | "unknown" {
  if (isHeld === true) return "running";
  if (holder !== undefined && holder.host !== hostname()) return "unknown";
  if (isHeld === false) return "stopped";
  return holder === undefined ? "unknown" : stateOfProcess(holder);
}

function stateOfProcess({ pid }: Pick<LockHolder, "pid">): "running" | "stopped" {
  try {
    process.kill(pid, 0);
    return "running";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM" ? "running" : "stopped";
  }
}

/** What a sink's files say; times are those of files and records, in ms since 1970. */
interface SinkFiles extends Omit<SinkFacts, "backlogMs" | "deadLetterAgeMs"> {
  readonly oldestMs?: number;
  readonly deadLetterMs?: number;
}

/** What was found of one sink. */
interface SinkFound {
  readonly facts: SinkFiles;
  readonly shown: Status["sinks"][number];
}

/** An error that every one of several sinks has is that of the state directory. */
function sharedError(sinks: readonly SinkFound[]): {
  readonly sinks: readonly SinkFound[];
  readonly stateError?: string;
} {
  const [first] = sinks.flatMap(({ facts }) => facts.stateError ?? []);
  const isShared = sinks.length > 1 && sinks.every(({ facts }) => facts.stateError !== undefined);
  if (first === undefined || !isShared) return { sinks };
  const others = sinks.map(({ facts, shown }) => {
    const { stateError: _, ...rest } = facts;
    return { facts: rest, shown };
  });
  return { sinks: others, stateError: first };
}

/** What cannot be read of one sink is left out, and hides nothing else. */
async function inspectSink(
  sink: SinkOnDisk,
  { journalDirectory, stateDirectory }: DiskPlaces,
  layout: StateLayout,
  journal: JournalOnDisk | undefined,
): Promise<SinkFound> {
  const { name, kind, certificates } = sink;
  const errors: string[] = [];
  const failed = (error: unknown): undefined => void errors.push(describeCause(error));
  const enabled = { name, enabled: true };
  const map = journal?.map ?? new JournalMap([]);
  const status = await sinkStatus(stateDirectory, enabled, journal?.end, map).catch(failed);
  const backlog =
    journal && status && (await inspectBacklog(journalDirectory, status).catch(failed));
  const letters = await inspectLetters(layout, sink).catch(failed);
  return {
    facts: {
      name,
      certificates,
      ...(status && { isCheckpointDamaged: status.checkpoint === "damaged" }),
      ...backlog?.facts,
      ...letters?.facts,
      ...(errors.length > 0 && { stateError: errors.join("; ") }),
    },
    shown: {
      name,
      kind,
      ...(status && { checkpoint: checkpointOf(status) }),
      ...(backlog && { backlog: backlog.shown }),
      ...(letters && { deadLetters: letters.shown }),
    },
  };
}

function checkpointOf({ checkpoint, savedTime, position }: SinkStatus) {
  return {
    state: checkpoint,
    ...(savedTime !== undefined && { savedTime }),
    ...(position && {
      epochNumber: position.epochNumber,
      epochId: position.epochId,
      sequence: position.sequence,
      segment: position.segment,
      offset: position.offset,
    }),
  };
}

async function inspectBacklog(journalDirectory: string, status: SinkStatus) {
  const oldestMs = await oldestAfter(journalDirectory, status);
  // Without a record after the checkpoint, what follows it are marks and unused ends of files.
  if (oldestMs === undefined)
    return { facts: { backlogBytes: 0 }, shown: { records: 0, bytes: 0 } };
  const { behindRecords, behindBytes: bytes } = status;
  return {
    facts: { backlogBytes: bytes, oldestMs },
    shown: { ...recordsOf(behindRecords), bytes, oldestTime: new Date(oldestMs).toISOString() },
  };
}

function recordsOf(records: number | undefined) {
  return records === undefined ? {} : { records: Math.max(0, records) };
}

function ageOf(
  { oldestMs, deadLetterMs, isCheckpointDamaged = false, ...facts }: SinkFiles,
  nowMs: number,
  isStopped: boolean,
): SinkFacts {
  return {
    ...facts,
    // A running service writes a new one.
    isCheckpointDamaged: isCheckpointDamaged && isStopped,
    ...(oldestMs !== undefined && { backlogMs: nowMs - oldestMs }),
    ...(deadLetterMs !== undefined && { deadLetterAgeMs: nowMs - deadLetterMs }),
  };
}

/** When the oldest record after a checkpoint was made, in ms since 1970; `undefined` if there is none. */
async function oldestAfter(
  directory: string,
  { position }: SinkStatus,
): Promise<number | undefined> {
  const from = position ? { ...position, sequence: BigInt(position.sequence) } : null;
  const journal = new WholeJournal(directory, from);
  try {
    for await (const [first] of journal.chunks(new AbortController().signal)) {
      if (first !== undefined) return unixMsOf(first.time);
    }
    return undefined;
  } finally {
    journal.close();
  }
}

async function inspectLetters(layout: StateLayout, { name, maxDeadLetterBytes }: SinkOnDisk) {
  const paths = [name, reconcileSinkName(name)].map((each) => layout.deadLetters(each));
  const sizes = await Promise.all(paths.map(totalBytes));
  const stats = await Promise.all(paths.map((path) => stat(path).catch(ignoreMissing)));
  const times = stats.flatMap((found) => found?.mtimeMs ?? []);
  const newestMs = times.length > 0 ? Math.max(...times) : undefined;
  // Each has the whole limit.
  const share = Math.max(...sizes) / maxDeadLetterBytes;
  const bytes = sizes.reduce((sum, each) => sum + each, 0);
  return {
    facts: { deadLetterFill: share, ...(newestMs !== undefined && { deadLetterMs: newestMs }) },
    shown: {
      bytes,
      share,
      ...(newestMs !== undefined && { newestTime: new Date(newestMs).toISOString() }),
    },
  };
}
