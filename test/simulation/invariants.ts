import { crc32 } from "node:zlib";
import type { JournalRecord } from "./journal.ts";
import type { Action, Scenario, SinkName } from "./scenario.ts";
import { fileDirectory, stateDirectory } from "./service-process.ts";
import { nameOf, type World } from "./world.ts";

/** What has come to a destination. */
interface Deliveries {
  /** Ids in the order of their first delivery. */
  readonly ids: Set<string>;
  /** Parts of the destination that were read: records, messages, or bytes of files. */
  read: number;
  duplicates: number;
  /** Lines of files that are no whole events. */
  brokenLines: number;
  /** Newest record by request, as its ordinal. */
  readonly newest: Map<number, number>;
  problem: string | undefined;
  /** The file sink's files that were read, and how far. */
  readonly files: Map<string, number>;
  /** Records before this one have come, or need not. */
  done: number;
}

const known = new WeakMap<World, Map<SinkName, Deliveries>>();

/** What has come to a destination until now. */
export function deliveriesOf(sink: SinkName, world: World): Deliveries {
  let sinks = known.get(world);
  if (sinks === undefined) known.set(world, (sinks = new Map()));
  let found = sinks.get(sink);
  if (found === undefined) {
    found = {
      ids: new Set(),
      read: 0,
      duplicates: 0,
      brokenLines: 0,
      newest: new Map(),
      problem: undefined,
      files: new Map(),
      done: 0,
    };
    sinks.set(sink, found);
  }
  if (sink === "kafka") {
    const { stored } = world.kafka;
    for (; found.read < stored.length; found.read += 1)
      take(found, headOf(stored[found.read]!.value), world);
  } else if (sink === "rabbitmq") {
    const { stored } = world.rabbitmq;
    for (; found.read < stored.length; found.read += 1) {
      take(found, headOf(stored[found.read]!.content), world);
    }
  } else readFiles(found, world);
  return found;
}

/** Only what was flushed has been delivered, in a file. */
function readFiles(found: Deliveries, world: World): void {
  for (const path of world.disk.paths(fileDirectory)) {
    const content = path.endsWith(".ndjson") ? world.disk.durableContent(path) : undefined;
    if (content === undefined) continue;
    let at = found.files.get(path) ?? 0;
    if (at === content.length) continue;
    for (let end = content.indexOf(10, at); end !== -1; end = content.indexOf(10, at)) {
      takeLine(found, content.subarray(at, end), world);
      at = end + 1;
    }
    found.files.set(path, at);
  }
}

interface SeenEvent {
  readonly id: string;
  readonly source: string;
}

/** How many bytes of an event hold its attributes. */
const headBytes = 400;

/** The attributes of an event that a broker has stored, as the service writes them: most of a large event is not read. */
function headOf(json: Buffer): SeenEvent {
  const head = json.toString("latin1", 0, headBytes);
  const [, id = "", source = ""] =
    /^\{"specversion":"1\.0","id":"([^"\\]*)","source":"([^"\\]*)"/.exec(head) ?? [];
  return id === "" || json.at(-1) !== 125
    ? (JSON.parse(json.toString("utf8")) as SeenEvent)
    : { id, source };
}

/** A line of a file, which a crash may have cut off, or a write that the disk ended early. */
function takeLine(found: Deliveries, json: Buffer, world: World): void {
  let event: SeenEvent;
  try {
    event = headOf(json);
  } catch {
    found.brokenLines += 1;
    if (found.brokenLines > world.disk.cutWrites) found.problem ??= "a line of a file is not JSON";
    return;
  }
  take(found, event, world);
}

function take(found: Deliveries, event: SeenEvent, world: World): void {
  const { id, source } = event;
  const sources = sourcesOf(world);
  const before = sources.get(id);
  if (before === undefined) sources.set(id, source);
  else if (before !== source) found.problem ??= `event ${id} is of ${source}, and was of ${before}`;
  if (found.ids.has(id)) found.duplicates += 1;
  else takeFirst(found, event, world);
}

/** An event that has not come before. */
function takeFirst(found: Deliveries, { id }: SeenEvent, world: World): void {
  found.ids.add(id);
  const record = recordsById(world).get(id);
  if (record === undefined) {
    const isGap = world.journal.gaps.has(id) || id.endsWith("-65535");
    if (!isGap && !world.journal.writerGaps.includes(id)) found.problem ??= `invented event ${id}`;
    return;
  }
  if (record.requestId === undefined) return;
  const newest = found.newest.get(record.requestId);
  if (newest !== undefined && newest > record.ordinal) {
    found.problem ??= `record ${record.ordinal} of request ${record.requestId} came after ${newest}`;
  }
  found.newest.set(record.requestId, Math.max(newest ?? -1, record.ordinal));
}

const sourcesBy = new WeakMap<World, Map<string, string>>();

function sourcesOf(world: World): Map<string, string> {
  let sources = sourcesBy.get(world);
  if (sources === undefined) sourcesBy.set(world, (sources = new Map()));
  return sources;
}

const recordsBy = new WeakMap<World, { read: number; readonly map: Map<string, JournalRecord> }>();

function recordsById(world: World): Map<string, JournalRecord> {
  let index = recordsBy.get(world);
  if (index === undefined) recordsBy.set(world, (index = { read: 0, map: new Map() }));
  const { records } = world.journal;
  for (; index.read < records.length; index.read += 1) {
    const record = records[index.read]!;
    index.map.set(record.id, record);
  }
  return index.map;
}

/** A dead letter as far as this asks. */
export interface Letter {
  readonly time: string;
  readonly reason: string;
  readonly message: string;
  readonly event?: { readonly id: string; readonly type: string };
  readonly record?: { readonly epochId: string; readonly sequence: string };
}

type Letters = ReadonlyMap<string, Letter>;

/** The dead letters that were found last, by sink, and the contents of files that they are from. */
const foundLetters = new WeakMap<
  World,
  Map<string, { readonly contents: readonly (Buffer | undefined)[]; readonly letters: Letters }>
>();

/** The dead letters of a sink that are on disk for good. */
export function lettersOf(sink: string, world: World): Letters {
  const directory = `${stateDirectory}/dead-letters`;
  const contents = world.disk
    .paths(directory)
    // A sink that was renamed is called as before, with a number.
    .filter((path) => path.startsWith(`${directory}/${sink}`))
    .map((path) => world.disk.durableContent(path));
  let sinks = foundLetters.get(world);
  if (sinks === undefined) foundLetters.set(world, (sinks = new Map()));
  const last = sinks.get(sink);
  const isSame =
    last?.contents.length === contents.length &&
    contents.every((content, at) => content === last.contents[at]);
  if (last !== undefined && isSame) return last.letters;
  const letters = new Map<string, Letter>();
  for (const letter of contents.flatMap(lettersIn)) {
    const { event, record } = letter;
    const id = event?.id ?? (record && `${record.epochId}-${record.sequence}-0`);
    if (id !== undefined) letters.set(id, letter);
  }
  sinks.set(sink, { contents, letters });
  return letters;
}

/** The simulated disk makes a new buffer of each content, so what was read once stays true. */
const readLetters = new WeakMap<Buffer, Letter[]>();

function lettersIn(content: Buffer | undefined): Letter[] {
  if (content === undefined) return [];
  let letters = readLetters.get(content);
  if (letters !== undefined) return letters;
  letters = content
    .toString()
    .split("\n")
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as Letter];
      } catch {
        return []; // empty, or cut off by a crash
      }
    });
  readLetters.set(content, letters);
  return letters;
}

/** The first record that is neither at a destination nor a dead letter nor in a gap. */
export function oldestUndelivered(sink: SinkName, world: World): JournalRecord | undefined {
  const found = deliveriesOf(sink, world);
  const { records } = world.journal;
  let letters: Letters | undefined;
  for (; found.done < records.length; found.done += 1) {
    const record = records[found.done]!;
    // It was lost with the writer before anybody could see it.
    if (record.writtenAt === Infinity || found.ids.has(record.id)) continue;
    letters ??= lettersOf(sink, world);
    if (letters.has(record.id) || isInGap(record, found.ids, world)) continue;
    return record;
  }
  return undefined;
}

function isInGap({ ordinal }: JournalRecord, ids: ReadonlySet<string>, world: World): boolean {
  for (const [id, ranges] of world.journal.gaps) {
    if (ids.has(id) && ranges.some(([from, to]) => from <= ordinal && ordinal < to)) return true;
  }
  return false;
}

/** Where a sink is. */
interface Checkpoint {
  readonly generation: bigint;
  readonly epochId: string;
  readonly sequence: number;
}

const readCheckpoints = new WeakMap<Buffer, { readonly checkpoint: Checkpoint | undefined }>();

/** The position in a checkpoint that a power cut would leave. */
function checkpointOf(sink: SinkName, world: World): Checkpoint | undefined {
  const content = world.disk.durableContent(`${stateDirectory}/checkpoints/${nameOf(sink, world)}`);
  if (content === undefined) return undefined;
  let read = readCheckpoints.get(content);
  if (read === undefined) readCheckpoints.set(content, (read = { checkpoint: newestIn(content) }));
  return read.checkpoint;
}

/** The newest position in a checkpoint, as docs/reference has it. */
function newestIn(content: Buffer): Checkpoint | undefined {
  const slots = [0, 4096].flatMap((at) => {
    const slot = content.subarray(at, at + 60);
    if (slot.length !== 60 || slot.readUInt32LE(56) !== crc32(slot.subarray(0, 56))) return [];
    return [
      {
        generation: slot.readBigUInt64LE(8),
        epochId: slot.toString("hex", 40, 56),
        sequence: Number(slot.readBigUInt64LE(32)),
      },
    ];
  });
  return slots.toSorted((a, b) => Number(b.generation - a.generation))[0];
}

/** What is not as it must be at any time; `undefined` if all is. */
export function findViolations({ sinks, steps }: Scenario, world: World): string | undefined {
  for (const sink of sinks) {
    const { problem } = deliveriesOf(sink, world);
    if (sink === "rabbitmq") noteRouted(routedPath(sink, world), world);
    if (problem !== undefined) return `${sink}: ${problem}`;
    for (const [id, letter] of lettersOf(sink, world)) {
      const record = recordsById(world).get(id);
      if (record?.flaw === letter.reason) continue;
      if (mayBeUnroutable(letter, record, { sink, steps, world })) continue;
      return `${sink}: dead letter ${letter.reason} of ${id}: ${letter.message}`;
    }
    const ahead = aheadOf(sink, world);
    if (ahead !== undefined) return ahead;
  }
  return undefined;
}

/** When a kind of events was first seen to be kept on disk as routed, in ms of virtual time, by path and kind. */
const keptBy = new WeakMap<
  World,
  { readonly read: Set<Buffer>; readonly kept: Map<string, number> }
>();

/** What the routed kinds of a sink are called on disk. */
function routedPath(sink: SinkName, world: World): string {
  return `${stateDirectory}/routed-kinds/${nameOf(sink, world)}.json`;
}

/** Notes which kinds are now kept on disk as routed, whatever becomes of the machine. */
function noteRouted(path: string, world: World): Map<string, number> {
  let noted = keptBy.get(world);
  if (noted === undefined) keptBy.set(world, (noted = { read: new Set(), kept: new Map() }));
  const content = world.disk.durableContent(path);
  if (content === undefined || noted.read.has(content)) return noted.kept;
  noted.read.add(content);
  const { kinds } = JSON.parse(content.toString()) as { readonly kinds: readonly string[] };
  for (const kind of kinds) {
    const key = `${path} ${kind.split("\0")[0]}`;
    if (!noted.kept.has(key)) noted.kept.set(key, world.scheduler.now);
  }
  return noted.kept;
}

/** The kind in the type of an event, such as `ca.started` in `io.certwire.ca.started.v1`. */
function kindOf(type = ""): string {
  return type.split(".").slice(2, -1).join(".");
}

/** Of a kind that is kept on disk as routed, every event is waited for. */
function mayBeUnroutable(
  { reason, event }: Letter,
  record: JournalRecord | undefined,
  { sink, steps, world }: { sink: SinkName; steps: Scenario["steps"]; world: World },
): boolean {
  if (reason !== "unroutable" || !steps.some(({ action }) => takesQueueAway(action))) return false;
  const path = routedPath(sink, world);
  const keptAt = noteRouted(path, world).get(`${path} ${kindOf(event?.type)}`) ?? Infinity;
  return keptAt > (record?.writtenAt ?? beforeGap(event?.id, world));
}

/** When the newest record before a gap was written, in ms of virtual time; the gap is not older. */
function beforeGap(id = "", { journal }: World): number {
  const [epochId = "", sequence] = id.split("-");
  const before = journal.records.slice(0, journal.ordinalAt(epochId, Number(sequence)));
  return before.findLast(({ writtenAt }) => writtenAt !== Infinity)?.writtenAt ?? 0;
}

function takesQueueAway(action: Action): boolean {
  return action.do === "rabbitmq-queue" && action.is === "down";
}

/** True if a power cut would leave a checkpoint of a sink. */
export function hasCheckpoint(sink: SinkName, world: World): boolean {
  return checkpointOf(sink, world) !== undefined;
}

/** Ordinal of the first record that a checkpoint on disk is before. */
export function checkpointedUntil(sink: SinkName, world: World): number {
  const checkpoint = checkpointOf(sink, world);
  if (checkpoint === undefined) return 0;
  const { journal } = world;
  let at = journal.ordinalAt(checkpoint.epochId, checkpoint.sequence + 1);
  // What was lost with the writer is nothing to wait for.
  while (journal.records[at]?.writtenAt === Infinity) at += 1;
  return at;
}

/** A checkpoint is never ahead of what was delivered. */
function aheadOf(sink: SinkName, world: World): string | undefined {
  const checkpoint = checkpointOf(sink, world);
  if (checkpoint === undefined) return undefined;
  const oldest = oldestUndelivered(sink, world);
  if (oldest === undefined) return undefined;
  const { journal } = world;
  const at = journal.ordinalAt(checkpoint.epochId, checkpoint.sequence + 1);
  if (oldest.ordinal >= at) return undefined;
  return `${sink}: the checkpoint is after record ${at - 1}, and record ${oldest.ordinal} is nowhere`;
}
