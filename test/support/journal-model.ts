import assert from "node:assert/strict";
import { open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { decodeGap } from "../../src/exit/decode-gap.ts";
import { frameTypes, type JournalFrame } from "../../src/journal/frame.ts";
import { framesOf } from "../../src/journal/journal-reader.ts";
import type { JournalPosition } from "../../src/journal/position.ts";
import { listSegments, startOf } from "../../src/journal/segments.ts";
import { loadNative, type NativeJournalReader } from "../../src/native/addon.ts";
import { JournalWriter } from "./journal-writer.ts";
import { cutPower } from "./power-cut.ts";
import { label } from "./small-journal.ts";
import { until } from "./until.ts";

/** Something that happens to a journal, its writer or its reader. */
export type ModelCommand =
  | { readonly do: "append"; readonly count: number }
  | { readonly do: "flush" | "seal" | "kill" | "restart-reader" | "delete-oldest" }
  | { readonly do: "power-cut"; readonly seed: number }
  | { readonly do: "read"; readonly batches: number }
  /** Of what was read and not acknowledged, this share is now. */
  | { readonly do: "acknowledge"; readonly share: number }
  | {
      readonly do: "corrupt";
      readonly how: "flip" | "truncate" | "zero";
      readonly segment: number;
      readonly place: number;
    };

/** One start of the writer, as the model knows it. */
interface Epoch {
  number: number;
  id: string;
  /** Request IDs of the records whose append returned committed; request at index n has sequence n + 2. */
  readonly committed: number[];
  /** Request IDs of the last order, of which no answer came. */
  unanswered: readonly number[];
  /** After a power cut: the last sequence that a MARK had reported durable, 0 when there was none. */
  durable?: bigint;
}

interface Gap {
  readonly epochNumber: number;
  readonly epochId: string;
  readonly reason: string;
  readonly first: bigint;
  /** Absent when the gap has no known end: it covers the rest of its epoch, or what follows. */
  readonly last: bigint | undefined;
}

const headerBytes = 4096;

/** A journal with a writer in a process of its own and a reader, beside a list of what must come out. */
export class JournalModel {
  readonly #directory: string;
  readonly #epochs: Epoch[] = [];
  readonly #gaps: Gap[] = [];
  /** Delivered records: request ID by `epoch id:sequence`. */
  readonly #delivered = new Map<string, number>();
  #writer: JournalWriter | undefined;
  #reader: NativeJournalReader | undefined;
  #checkpoint: JournalPosition | null = null;
  #unacknowledged: JournalPosition[] = [];
  #lastPlace: readonly [number, string, bigint] | undefined;
  #nextRequestId = 1;
  #uncleanStops = 0;
  #isHarmed = false;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async run(command: ModelCommand): Promise<void> {
    switch (command.do) {
      case "append":
        return this.#append(command.count);
      case "flush":
        return this.#writer?.order({ do: "flush" }).then(() => undefined);
      case "seal":
        return this.#seal();
      case "kill":
        return this.#kill();
      case "power-cut":
        return this.#powerCut(command.seed);
      case "read":
        return this.#read(command.batches);
      case "acknowledge":
        return this.#acknowledge(command.share);
      case "restart-reader":
        return this.#restartReader();
      case "delete-oldest":
        return this.#deleteOldest();
      case "corrupt":
        return this.#corrupt(command);
    }
  }

  /** Begins one more epoch, so that all others have ended, reads everything, and compares. */
  async finish(): Promise<void> {
    await this.#seal();
    await this.#append(1);
    const [last] = this.#epochs.at(-1)!.committed;
    await this.#writer?.order({ do: "flush" });
    const isRead = async (): Promise<boolean> => {
      await this.#read(100);
      return [...this.#delivered.values()].includes(last!);
    };
    // An idle reader looks for new segments ten times a second only.
    await until(isRead, "the last record comes out");
    for (const epoch of this.#epochs) this.#assertAccounted(epoch);
    if (this.#isHarmed) return;
    for (const epoch of this.#epochs) this.#assertDurable(epoch);
    if (this.#epochs.some(({ durable }) => durable !== undefined)) return;
    const reasons = new Set(this.#gaps.map(({ reason }) => reason));
    assert.ok(reasons.size === 0 || (reasons.size === 1 && reasons.has("unclean-stop")));
    const stops = new Set(this.#gaps.map(({ epochId }) => epochId));
    assert.equal(stops.size, this.#uncleanStops, "one gap for each unclean stop");
  }

  async close(): Promise<void> {
    this.#reader?.close();
    await this.#endWriter();
  }

  async #append(count: number): Promise<void> {
    const writer = this.#writer ?? this.#startWriter();
    const epoch = this.#epochs.at(-1)!;
    const requestIds = Array.from({ length: count }, () => this.#nextRequestId++);
    epoch.unanswered = requestIds;
    const { committed } = await writer.order({ do: "append", requestIds });
    epoch.unanswered = [];
    // A busy machine: committed a little later than the caller waited.
    if (committed.length < count) await writer.order({ do: "flush" });
    epoch.committed.push(...requestIds);
    await this.#learnIdentity(epoch);
  }

  #startWriter(): JournalWriter {
    this.#writer = new JournalWriter(this.#directory);
    this.#epochs.push({ number: 0, id: "", committed: [], unanswered: [] });
    return this.#writer;
  }

  /** The writer chose number and id; the file is too new to have a damaged header. */
  async #learnIdentity(epoch: Epoch): Promise<void> {
    if (epoch.id !== "") return;
    const known = new Set(this.#epochs.map(({ id }) => id));
    const segment = (await listSegments(this.#directory)).find(
      ({ epochId }) => !known.has(epochId),
    );
    assert.ok(segment, "the epoch has a segment");
    epoch.id = segment.epochId;
    epoch.number = segment.epochNumber;
  }

  async #seal(): Promise<void> {
    if (this.#writer === undefined) return;
    await this.#writer.order({ do: "seal" });
    await this.#endWriter();
  }

  async #kill(): Promise<void> {
    const epoch = this.#epochs.at(-1);
    if (this.#writer === undefined || epoch === undefined) return;
    // In the middle of an order whose answer is not awaited.
    const requestIds = Array.from({ length: 40 }, () => this.#nextRequestId++);
    epoch.unanswered = requestIds;
    this.#writer.send({ do: "append", requestIds });
    await this.#endWriter();
    this.#uncleanStops += 1;
  }

  /** Everything ends at once; what was not flushed may be lost, in part and in any order. */
  async #powerCut(seed: number): Promise<void> {
    const epoch = this.#epochs.at(-1);
    if (this.#writer === undefined || epoch === undefined) return;
    await this.#kill();
    this.#restartReader();
    const durable = await cutPower(this.#directory, String(seed));
    epoch.durable = durable?.sequence ?? 0n;
  }

  async #endWriter(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    await writer?.kill();
  }

  async #read(batches: number): Promise<void> {
    this.#reader ??= new (loadNative().JournalReader)({
      directory: this.#directory,
      quarantineDirectory: null,
      mode: "committed",
      position: this.#checkpoint,
      maxBatchBytes: 1024 * 1024,
      maxBatchFrames: 16,
    });
    for (let i = 0; i < batches; i += 1) {
      const batch = await this.#reader.read();
      if (batch === null) return;
      for (const frame of framesOf(batch)) this.#take(frame);
    }
  }

  #take(frame: JournalFrame): void {
    const { epochNumber, epochId, sequence, type, index } = frame;
    this.#unacknowledged.push(frame.position);
    const place = [epochNumber, epochId, sequence] as const;
    if (this.#lastPlace) assert.ok(isBehind(place, this.#lastPlace), "the order of the journal");
    this.#lastPlace = place;
    if (type === frameTypes.gap) {
      assert.equal(index, 65_535, "the writer knew of no loss");
      const { reason, firstSequence, lastSequence } = decodeGap(frame.payload);
      const last = lastSequence === undefined ? undefined : BigInt(lastSequence);
      this.#gaps.push({ epochNumber, epochId, reason, first: BigInt(firstSequence ?? 0), last });
      return;
    }
    const requestId = Number(label(frame));
    const key = `${epochId}:${sequence}`;
    assert.equal(
      this.#delivered.get(key) ?? requestId,
      requestId,
      "the same id is the same record",
    );
    this.#delivered.set(key, requestId);
    const epoch = this.#epochs.find(({ id }) => id === epochId) ?? this.#epochs.at(-1)!;
    const known = [...epoch.committed, ...epoch.unanswered];
    assert.equal(known[Number(sequence) - 2], requestId, "a record that was written, at its place");
  }

  #acknowledge(share: number): void {
    const count = Math.ceil(this.#unacknowledged.length * share);
    this.#checkpoint = this.#unacknowledged[count - 1] ?? this.#checkpoint;
    this.#unacknowledged = this.#unacknowledged.slice(count);
  }

  #restartReader(): void {
    this.#reader?.close();
    this.#reader = undefined;
    this.#unacknowledged = [];
    this.#lastPlace = undefined;
  }

  async #deleteOldest(): Promise<void> {
    const [oldest, ...others] = await listSegments(this.#directory);
    if (oldest === undefined || others.length === 0) return;
    // As the service does, so that what goes before the first acknowledgement is a loss too. A reader that
    // saw an empty directory last would have found the first segment long ago.
    if (this.#checkpoint === null && this.#lastPlace === undefined) this.#restartReader();
    this.#checkpoint ??= startOf(oldest);
    await unlink(join(this.#directory, oldest.name));
    this.#isHarmed = true;
  }

  async #corrupt(command: Extract<ModelCommand, { do: "corrupt" }>): Promise<void> {
    const segments = await listSegments(this.#directory);
    const segment = segments[Math.floor(command.segment * segments.length)];
    // A file that is being written gets bit flips only: it cannot be shortened under its writer.
    const isLive = this.#writer !== undefined && segment?.epochId === segments.at(-1)?.epochId;
    if (segment === undefined || (isLive && command.how !== "flip")) return;
    const at = headerBytes + Math.floor(command.place * (segment.bytes - headerBytes));
    const file = await open(join(this.#directory, segment.name), "r+");
    try {
      if (command.how === "truncate") await file.truncate(at);
      else if (command.how === "zero") await file.write(Buffer.alloc(512), 0, 512, at);
      else await flipBit(file, at);
    } finally {
      await file.close();
    }
    this.#isHarmed = true;
  }

  /** What was durable is delivered, not just reported as lost. */
  #assertDurable({ id, committed, durable }: Epoch): void {
    if (durable === undefined) return;
    for (const [index, requestId] of committed.entries()) {
      const sequence = BigInt(index) + 2n;
      if (sequence > durable) return;
      assert.equal(this.#delivered.get(`${id}:${sequence}`), requestId, "a durable record");
    }
  }

  #assertAccounted({ number, id, committed, durable }: Epoch): void {
    // An epoch of which nothing had reached the disk leaves no trace.
    if (durable === 0n) return;
    for (const [index, requestId] of committed.entries()) {
      const sequence = BigInt(index) + 2n;
      const delivered = this.#delivered.get(`${id}:${sequence}`);
      if (delivered !== undefined) continue;
      const isTold = this.#gaps.some((gap) => covers(gap, number, id, sequence));
      assert.ok(isTold, `request ${requestId} (${number}, ${sequence}) is lost in silence`);
    }
  }
}

function isBehind(
  [number, id, sequence]: readonly [number, string, bigint],
  [otherNumber, otherId, otherSequence]: readonly [number, string, bigint],
): boolean {
  if (number !== otherNumber) return number > otherNumber;
  return id === otherId ? sequence > otherSequence : id > otherId;
}

/** True if a gap reports that a record may be lost. */
function covers(gap: Gap, number: number, id: string, sequence: bigint): boolean {
  if (gap.epochId === id) return sequence >= gap.first && sequence <= (gap.last ?? sequence);
  // A gap without an end that is about epochs: everything after it may be missing.
  return gap.last === undefined && gap.reason !== "unclean-stop" && number > gap.epochNumber;
}

async function flipBit(file: Awaited<ReturnType<typeof open>>, at: number): Promise<void> {
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
  buffer[0] = (buffer[0] ?? 0) ^ 0x10;
  await file.write(buffer, 0, 1, at);
}
