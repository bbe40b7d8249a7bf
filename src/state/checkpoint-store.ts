import { constants } from "node:fs";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import { CertwireError } from "../errors/certwire-error.ts";
import {
  directoryModes,
  fileModes,
  isInPlace,
  noFollow,
  readFlags,
  syncDirectory,
} from "../files/append-file.ts";
import { ignoreMissing } from "../files/existing.ts";
import { writeWhole } from "../files/write-whole.ts";
import type { JournalPosition } from "../journal/position.ts";

/**
 * A slot: magic "CWCP", version u16, 2 zero bytes, generation u64, epoch number u32, segment u32, offset
 * u64, sequence u64, epoch id (16 bytes), CRC-32 of all that; little-endian. The slots are a page apart, so
 * that a torn write of one cannot damage the other.
 */
const slotBytes = 60;
const slotDistance = 4096;
const magic = 0x50435743;
const version = 1;

/** What a checkpoint file held when it was opened: a position, nothing yet, or no slot that verifies. */
export type CheckpointState = "found" | "new" | "damaged";

interface Slot {
  readonly generation: bigint;
  readonly position: JournalPosition;
}

/** What the two slots of a file hold. */
interface Content {
  readonly newest: Slot | null;
  readonly older: Slot | null;
  readonly nextSlot: number;
}

/**
 * The position of one sink on disk: two slots in one file, of which each save overwrites the older one in
 * place and flushes it. A crash at any byte leaves the newer slot whole; the file is never renamed. A slot that was
 * found at the start is written and flushed once more before the other one is overwritten: the flush of the process
 * that wrote it may have failed, and then a power cut takes what can still be read.
 *
 * The pipeline calls `keep` and `save`, the retention task `anchor` and `advance`. The calls run one after the other,
 * in the order they were made, and each resolves when its position is durable. Only one process may have
 * the file open, which the lock of the state directory ensures.
 */
export class CheckpointStore {
  /** What `open` found. With `damaged`, reading starts at the oldest frame: duplicates, but no loss. */
  readonly state: CheckpointState;
  readonly #path: string;
  #file: FileHandle;
  #newest: Slot | null;
  #nextSlot: number;
  /** The other slot, as it was found. */
  readonly #older: Slot | null;
  /** False until this process has flushed the newest slot. */
  #isKept: boolean;
  #tail: Promise<void> = Promise.resolve();

  private constructor(
    path: string,
    file: FileHandle,
    { newest, older, nextSlot }: Content,
    isNew: boolean,
  ) {
    this.#path = path;
    this.#file = file;
    this.#newest = newest;
    this.#nextSlot = nextSlot;
    this.#older = older;
    this.#isKept = newest === null;
    this.state = newest !== null ? "found" : isNew ? "new" : "damaged";
  }

  /** Opens the file, or creates it and its directory. Rejects with CERTWIRE_CHECKPOINT_FAILED. */
  static async open(path: string): Promise<CheckpointStore> {
    try {
      await mkdir(dirname(path), { recursive: true, mode: directoryModes.private });
      const { file, isNew } = await openOrCreate(path);
      const content = Buffer.alloc(2 * slotDistance);
      const { bytesRead } = await file.read(content, 0, content.length, 0);
      return new CheckpointStore(path, file, decodeContent(content), isNew || bytesRead === 0);
    } catch (cause) {
      throw new CertwireError("CERTWIRE_CHECKPOINT_FAILED", `cannot open ${path}`, { cause });
    }
  }

  /** Where reading starts: the newest position that was found or saved; `null` if there is none. */
  get position(): JournalPosition | null {
    return this.#newest?.position ?? null;
  }

  /** The newest position that certainly survives a power cut; `null` if there is none. */
  get durable(): JournalPosition | null {
    return (this.#isKept ? this.#newest : this.#older)?.position ?? null;
  }

  /** Makes the position that was found durable, unless that is done. Rejects as `save`. */
  keep(): Promise<void> {
    return this.#inTurn(() => this.#keep());
  }

  /** Saves a position. Rejects with CERTWIRE_CHECKPOINT_FAILED; the previous position stays valid then. */
  save(position: JournalPosition): Promise<void> {
    return this.#inTurn(() => this.#save(position));
  }

  /**
   * Saves where reading starts if nothing was saved yet. Segments deleted before the first acknowledgement
   * then count as a loss, not as something that was never there. Rejects as `save`.
   */
  anchor(position: JournalPosition): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#newest === null) await this.#save(position);
    });
  }

  /**
   * Moves the checkpoint over a range without records, unless it is no longer at `from` (the same object that
   * `position` returned). Rejects as `save`.
   */
  advance(from: JournalPosition, to: JournalPosition): Promise<void> {
    return this.#inTurn(async () => {
      if (this.position === from) await this.#save(to);
    });
  }

  /** Closes the file after the calls made so far. */
  async close(): Promise<void> {
    await this.#tail;
    await this.#file.close();
  }

  /** Somebody deleted or replaced the file: a position in the old one would not be found at the next start. */
  async #reopen(): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true, mode: directoryModes.private });
    const { file } = await openOrCreate(this.#path);
    await this.#file.close();
    this.#file = file;
  }

  #inTurn(step: () => Promise<void>): Promise<void> {
    const result = this.#tail.then(step);
    this.#tail = result.catch(() => undefined);
    return result;
  }

  async #keep(): Promise<void> {
    if (this.#isKept || this.#newest === null) return;
    // A flush alone is not enough: after a failed one, Linux takes the bytes in its cache for written.
    await this.#write(this.#newest, 1 - this.#nextSlot);
    this.#isKept = true;
  }

  async #save(position: JournalPosition): Promise<void> {
    await this.#keep();
    const slot = { generation: (this.#newest?.generation ?? 0n) + 1n, position };
    await this.#write(slot, this.#nextSlot);
    this.#newest = slot;
    this.#nextSlot = 1 - this.#nextSlot;
  }

  async #write(slot: Slot, at: number): Promise<void> {
    try {
      if (!(await isInPlace(this.#path, this.#file))) await this.#reopen();
      await writeWhole(this.#file, encodeSlot(slot), at * slotDistance);
      await this.#file.datasync();
    } catch (cause) {
      throw new CertwireError("CERTWIRE_CHECKPOINT_FAILED", "cannot write a checkpoint", { cause });
    }
  }
}

/** Reads a checkpoint without opening it for writing. Rejects with CERTWIRE_CHECKPOINT_FAILED. */
export async function readCheckpoint(
  path: string,
): Promise<{ state: CheckpointState; position: JournalPosition | null }> {
  const content = Buffer.alloc(2 * slotDistance);
  try {
    const bytesRead = await readStart(path, content);
    if (bytesRead === 0) return { state: "new", position: null };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return { state: "new", position: null };
    throw new CertwireError("CERTWIRE_CHECKPOINT_FAILED", `cannot read ${path}`, { cause });
  }
  const { newest } = decodeContent(content);
  return { state: newest === null ? "damaged" : "found", position: newest?.position ?? null };
}

/** Reads no more than fits into `content`, whatever the size of the file. */
async function readStart(path: string, content: Buffer): Promise<number> {
  const file = await open(path, readFlags);
  try {
    return (await file.read(content, 0, content.length, 0)).bytesRead;
  } finally {
    await file.close();
  }
}

async function openOrCreate(path: string): Promise<{ file: FileHandle; isNew: boolean }> {
  const existing = await open(path, constants.O_RDWR | noFollow).catch(ignoreMissing);
  const file = existing ?? (await open(path, "wx+", fileModes.private));
  try {
    // The name of a file that nothing was written to may not be durable: whoever created it may have failed here.
    if ((await file.stat()).size === 0) await syncDirectory(dirname(path));
  } catch (error) {
    await file.close();
    throw error;
  }
  return { file, isNew: existing === undefined };
}

function encodeSlot({ generation, position }: Slot): Buffer {
  const slot = Buffer.alloc(slotBytes);
  slot.writeUInt32LE(magic, 0);
  slot.writeUInt16LE(version, 4);
  slot.writeBigUInt64LE(generation, 8);
  slot.writeUInt32LE(position.epochNumber, 16);
  slot.writeUInt32LE(position.segment, 20);
  slot.writeBigUInt64LE(BigInt(position.offset), 24);
  slot.writeBigUInt64LE(position.sequence, 32);
  slot.write(position.epochId, 40, "hex");
  slot.writeUInt32LE(crc32(slot.subarray(0, 56)), 56);
  return slot;
}

function decodeContent(content: Buffer): Content {
  const [first, second] = [decodeSlot(content), decodeSlot(content.subarray(slotDistance))];
  const secondIsNewer = second !== null && (first?.generation ?? -1n) < second.generation;
  const [newest, older] = secondIsNewer ? [second, first] : [first, second];
  return { newest, older, nextSlot: secondIsNewer || newest === null ? 0 : 1 };
}

function decodeSlot(slot: Buffer): Slot | null {
  if (slot.readUInt32LE(0) !== magic || slot.readUInt16LE(4) !== version) return null;
  if (slot.readUInt32LE(56) !== crc32(slot.subarray(0, 56))) return null;
  return {
    generation: slot.readBigUInt64LE(8),
    position: {
      epochNumber: slot.readUInt32LE(16),
      segment: slot.readUInt32LE(20),
      offset: Number(slot.readBigUInt64LE(24)),
      sequence: slot.readBigUInt64LE(32),
      epochId: slot.toString("hex", 40, 56),
    },
  };
}
