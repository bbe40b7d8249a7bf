import { constants } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { CertwireError } from "../errors/certwire-error.ts";
import type { EventKind } from "../events/event.ts";
import {
  fileModes,
  makeDirectory,
  noFollow,
  readFlags,
  syncDirectory,
} from "../files/append-file.ts";
import { ignoreMissing } from "../files/existing.ts";
import { writeWhole } from "../files/write-whole.ts";

/** What may happen and leaves a trace in the database. An entry has the place in this list: only append. */
const indexedKinds = [
  "certificate.issued",
  "certificate.imported",
  "certificate.revoked",
  "certificate.unrevoked",
  "request.pending",
  "request.denied",
  "request.failed",
  "crl.issued",
] as const satisfies EventKind[];

/** One of the kinds that the database can show too. */
export type IndexedKind = (typeof indexedKinds)[number];

/** Stands for the request of a CRL; the CA's own begin with 1. */
export const crlRequestId = 0;

/** True for a kind that the database can show too. */
export function isIndexed(kind: EventKind): kind is IndexedKind {
  return indexedKinds.some((each) => each === kind);
}

/** Something that happened to a request, or a CRL that was issued, found by its content id. */
export interface IndexEntry {
  /** `crlRequestId` for a CRL. */
  readonly requestId: number;
  readonly kind: IndexedKind;
  /** Content id of its event; `undefined` if a part of it was missing. */
  readonly contentId: string | undefined;
  /** When it happened, in s since 1970. */
  readonly timeSeconds: number;
  /** Number of its CA, which the owner of the index gives. */
  readonly ca: number;
  /** True if its template says that the request is not stored in the database. */
  readonly isUnstored: boolean;
}

/**
 * An entry: the first 16 bytes of the content id, request id i32, time u32, CA u16, kind u8, flags u8, CRC-32 of all that;
 * little-endian.
 */
const entryBytes = 32;
const idBytes = 16;
const flags = { hasContentId: 1, isUnstored: 2 } as const;

/** Requests of one file: 2^14. */
const requestsBits = 14;
/** Entries that wait in memory before they are written. */
const maxUnwritten = 16_384;

const fileName = /^(\d{6})\.idx$/;

/**
 * What happened to which request, on disk: 32 bytes for each event, in one file for every 16,384 requests, so that
 * somebody who goes through them in order needs memory for one file. Entries that were added twice do no harm. One process
 * at a time may add to it.
 */
export class ContentIndex {
  readonly #directory: string;
  #unwritten = new Map<number, Buffer[]>();
  #unwrittenCount = 0;
  #tail: Promise<void> = Promise.resolve();

  /** Touches no file. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Number of the file that a request belongs to. */
  static partOf(requestId: number): number {
    return requestId >>> requestsBits;
  }

  /** The greatest request of a file. */
  static lastRequestOf(part: number): number {
    return (part + 1) * 2 ** requestsBits - 1;
  }

  /** Adds an entry; `write` makes it durable. */
  add(entry: IndexEntry): void {
    this.#addEncoded(ContentIndex.partOf(entry.requestId), [encode(entry)]);
  }

  /** True when enough has been added that it should be written. */
  get isFull(): boolean {
    return this.#unwrittenCount >= maxUnwritten;
  }

  /**
   * Writes what was added, durably, after the calls made before. Rejects with CERTWIRE_CHECKPOINT_FAILED; what is not
   * written then stays added.
   */
  write(): Promise<void> {
    const result = this.#tail.then(() => this.#write());
    this.#tail = result.catch(() => undefined);
    return result;
  }

  async #write(): Promise<void> {
    const unwritten = this.#unwritten;
    [this.#unwritten, this.#unwrittenCount] = [new Map(), 0];
    try {
      await makeDirectory(this.#directory);
      for (const [part, entries] of unwritten) {
        await append(this.#pathOf(part), Buffer.concat(entries));
        unwritten.delete(part);
      }
      await syncDirectory(this.#directory);
    } catch (cause) {
      for (const [part, entries] of unwritten) this.#addEncoded(part, entries);
      const message = `cannot write ${this.#directory}`;
      throw new CertwireError("CERTWIRE_CHECKPOINT_FAILED", message, { cause });
    }
  }

  #addEncoded(part: number, entries: readonly Buffer[]): void {
    const others = this.#unwritten.get(part);
    if (others === undefined) this.#unwritten.set(part, [...entries]);
    else others.push(...entries);
    this.#unwrittenCount += entries.length;
  }

  /**
   * The written entries of a file by their request, in the order in which they were added. Entries that do not verify are
   * left out. Rejects with CERTWIRE_CHECKPOINT_FAILED.
   */
  async read(part: number): Promise<Map<number, IndexEntry[]>> {
    const content = await this.#content(part);
    const entries = new Map<number, IndexEntry[]>();
    for (let at = 0; at + entryBytes <= content.length; at += entryBytes) {
      const entry = decode(content.subarray(at, at + entryBytes));
      if (entry === undefined) continue;
      const others = entries.get(entry.requestId);
      if (others === undefined) entries.set(entry.requestId, [entry]);
      else others.push(entry);
    }
    return entries;
  }

  /** Numbers of the files that there are, rising. Rejects with CERTWIRE_CHECKPOINT_FAILED. */
  async parts(): Promise<number[]> {
    try {
      const names = (await readdir(this.#directory).catch(ignoreMissing)) ?? [];
      return names
        .flatMap((name) => fileName.exec(name)?.[1] ?? [])
        .map(Number)
        .toSorted((a, b) => a - b);
    } catch (cause) {
      throw this.#unreadable(cause);
    }
  }

  async #content(part: number): Promise<Buffer> {
    try {
      const file = await open(this.#pathOf(part), readFlags).catch(ignoreMissing);
      if (file === undefined) return Buffer.alloc(0);
      try {
        return await file.readFile();
      } finally {
        await file.close();
      }
    } catch (cause) {
      throw this.#unreadable(cause);
    }
  }

  #unreadable(cause: unknown): CertwireError {
    const message = `cannot read ${this.#directory}`;
    return new CertwireError("CERTWIRE_CHECKPOINT_FAILED", message, { cause });
  }

  #pathOf(part: number): string {
    return join(this.#directory, `${String(part).padStart(6, "0")}.idx`);
  }
}

/** True if an entry is about what has this content id, as far as its bytes are kept. */
export function hasContentId(entry: IndexEntry, contentId: string): boolean {
  return entry.contentId === keptContentId(contentId);
}

/** What an entry keeps of a content id. */
export function keptContentId(contentId: string): string {
  return contentId.slice(0, keptCharacters);
}

/** Characters of a content id of which every bit is kept. */
const keptCharacters = Math.floor((idBytes * 8) / 6);

/** Appends whole entries: what a crash has left of one is overwritten. */
async function append(path: string, entries: Buffer): Promise<void> {
  const file = await open(path, constants.O_RDWR | constants.O_CREAT | noFollow, fileModes.private);
  try {
    const { size } = await file.stat();
    await writeWhole(file, entries, size - (size % entryBytes));
    await file.datasync();
  } finally {
    await file.close();
  }
}

function encode({ contentId, requestId, timeSeconds, ca, kind, isUnstored }: IndexEntry): Buffer {
  const entry = Buffer.alloc(entryBytes);
  if (contentId !== undefined) entry.write(contentId, 0, idBytes, "base64url");
  entry.writeInt32LE(requestId, 16);
  entry.writeUInt32LE(Math.max(0, Math.min(0xffff_ffff, timeSeconds)), 20);
  entry.writeUInt16LE(ca, 24);
  entry.writeUInt8(indexedKinds.indexOf(kind), 26);
  const hasId = contentId === undefined ? 0 : flags.hasContentId;
  entry.writeUInt8(hasId | (isUnstored ? flags.isUnstored : 0), 27);
  entry.writeUInt32LE(crc32(entry.subarray(0, 28)), 28);
  return entry;
}

function decode(entry: Buffer): IndexEntry | undefined {
  if (entry.readUInt32LE(28) !== crc32(entry.subarray(0, 28))) return undefined;
  const kind = indexedKinds[entry.readUInt8(26)];
  if (kind === undefined) return undefined;
  const bits = entry.readUInt8(27);
  const id = entry.toString("base64url", 0, idBytes).slice(0, keptCharacters);
  return {
    contentId: (bits & flags.hasContentId) === 0 ? undefined : id,
    requestId: entry.readInt32LE(16),
    timeSeconds: entry.readUInt32LE(20),
    ca: entry.readUInt16LE(24),
    kind,
    isUnstored: (bits & flags.isUnstored) !== 0,
  };
}
