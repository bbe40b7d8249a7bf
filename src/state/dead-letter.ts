import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { inspect } from "node:util";
import { z } from "zod";
import { CertwireError } from "../errors/certwire-error.ts";
import { isOutOfMemory } from "../errors/out-of-memory.ts";
import type { CertwireEvent } from "../events/event.ts";
import { jsonText } from "../events/json-text.ts";
import { isInPlace, openForAppend } from "../files/append-file.ts";
import type { Frame, FrameHashes } from "../journal/frame.ts";
import { mebibyte } from "../units.ts";
import { setAside, totalBytes } from "./dead-letter-files.ts";

/**
 * Why a record or event became a dead letter: a record that cannot be decoded (`undecodable`), an event that
 * cannot be written as JSON (`unencodable`), that the broker can never accept (`rejected`), or that it could
 * not route for `deadLetterAfterSeconds` (`unroutable`).
 */
export type DeadLetterReason = "undecodable" | "unencodable" | "rejected" | "unroutable";

/** A journal record, unchanged; the members are those of `Frame`. */
export interface DeadRecord {
  readonly epochNumber: number;
  readonly epochId: string;
  /** Decimal, because JSON readers would round a larger number. */
  readonly sequence: string;
  readonly index: number;
  /** When it was recorded: 100 ns since 1601-01-01 UTC (FILETIME), decimal. */
  readonly time: string;
  readonly type: number;
  readonly schema: number;
  /** Absent for a gap that the reader found. */
  readonly hashes?: FrameHashes;
  /** CBOR of the record in base64. */
  readonly payload: string;
}

/** One line of a dead-letter file: what could not be published, and why. */
export interface DeadLetter {
  /** When it was given up, RFC 3339. */
  readonly time: string;
  /** Name of the sink. */
  readonly sink: string;
  readonly reason: DeadLetterReason;
  /** The messages of the error, in one line. */
  readonly message: string;
  /** The whole event; absent for a record, and for an event that JSON cannot hold. */
  readonly event?: CertwireEvent;
  /** The record that could not be decoded, or whose event JSON cannot hold; otherwise absent. */
  readonly record?: DeadRecord;
  /** For people: an event that JSON cannot hold and that has no record, as text. */
  readonly text?: string;
}

/** Where a pipeline puts what it cannot publish. */
export interface DeadLetters {
  /** How much of the space for dead letters is used, 0 to 1. */
  readonly fill: number;
  /** Resolves once the letter is safe; rejects if it is not, and is called again. */
  append(letter: DeadLetter): Promise<void>;
  close(): Promise<void>;
}

/** How much the dead letters of one sink may take. */
export interface DeadLetterLimits {
  /** Size at which a new file is begun, in bytes. */
  readonly fileBytes: number;
  /** Maximum size of all files together, in bytes. */
  readonly maxBytes: number;
}

/** Share of the limit above which the files are counted again with each letter. */
const recountFill = 0.7;

/** The limits of a sink; four files at least, so that a full one can be redriven and deleted early. */
export function deadLetterLimits(options: {
  readonly maxDeadLetterMegabytes: number;
}): DeadLetterLimits {
  const maxBytes = options.maxDeadLetterMegabytes * mebibyte;
  return { maxBytes, fileBytes: Math.min(64 * mebibyte, maxBytes / 4) };
}

/**
 * The dead letters of one sink: NDJSON, append-only, one `DeadLetter` per line. The checkpoint may pass an event
 * only once its dead letter is durable, so `append` resolves after the flush. A full file gets a number and is
 * not touched again; `certwire dead-letters redrive` publishes what is in one. Nothing is ever deleted here: a dead letter
 * may be all that is left of an event. At the limit `append` rejects instead, so that the sink waits, with the
 * event still in the journal, until somebody has redriven and deleted files.
 */
export class DeadLetterFile implements DeadLetters {
  readonly #path: string;
  readonly #limits: DeadLetterLimits;
  #file: FileHandle | undefined;
  /** Size of the current file, and of the others as they were when it was opened. */
  #size = 0;
  #otherBytes = 0;
  #tail: Promise<unknown> = Promise.resolve();

  /** Opens nothing: the file and its directory are created with the first dead letter. Default limit: 1 GiB. */
  constructor(path: string, limits = deadLetterLimits({ maxDeadLetterMegabytes: 1024 })) {
    this.#path = path;
    this.#limits = limits;
  }

  /** Bytes of all files of the sink as a share of their limit; 0 before the first dead letter. */
  get fill(): number {
    return (this.#size + this.#otherBytes) / this.#limits.maxBytes;
  }

  /**
   * Appends a line and flushes it, after the calls made before. Rejects with CERTWIRE_DEAD_LETTERS_FULL, or with
   * the error of the file system: the line may then be missing or incomplete, and the caller must try again.
   */
  append(letter: DeadLetter): Promise<void> {
    const result = this.#tail.then(() => this.#append(letter));
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** Closes the file after the calls made so far. */
  async close(): Promise<void> {
    await this.#tail;
    await this.#closeFile();
  }

  async #append(letter: DeadLetter): Promise<void> {
    const line = Buffer.from(`${lineOf(letter)}\n`);
    try {
      const file = this.#file ?? (await this.#open());
      if (this.#size > 0 && this.#size + line.length > this.#limits.fileBytes) {
        await this.#begin();
        return await this.#append(letter);
      }
      const used = this.#size + this.#otherBytes;
      // A single line larger than the limit is written all the same: deleting files would not help it.
      if (used > 0 && used + line.length > this.#limits.maxBytes) throw this.#full();
      await file.appendFile(line);
      await file.datasync();
      if (!(await isInPlace(this.#path, file))) throw new Error(`${this.#path} was deleted`);
      this.#size += line.length;
      // Full files may have been deleted since they were counted.
      if (this.fill >= recountFill) await this.#countOthers();
    } catch (error) {
      // Part of the line may be on disk, or files were deleted: the next call opens the file again, which
      // ends that line first and counts the bytes again.
      await this.#closeFile().catch(() => undefined);
      throw error;
    }
  }

  async #open(): Promise<FileHandle> {
    const state = dirname(dirname(this.#path));
    this.#file = await openForAppend(this.#path, "private", state);
    this.#size = (await this.#file.stat()).size;
    await this.#countOthers();
    return this.#file;
  }

  async #countOthers(): Promise<void> {
    this.#otherBytes = (await totalBytes(this.#path)) - this.#size;
  }

  /** Sets the full file aside; the next line begins a new one. */
  async #begin(): Promise<void> {
    await this.#closeFile();
    await setAside(this.#path);
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  #full(): CertwireError {
    const { maxBytes } = this.#limits;
    const message = `the dead letters of this sink have reached their limit of ${maxBytes} bytes (${this.#path})`;
    return new CertwireError("CERTWIRE_DEAD_LETTERS_FULL", message);
  }
}

/** An event that JSON cannot hold (a fault in Certwire) is kept as a text for people. */
function lineOf(letter: DeadLetter): string {
  try {
    return jsonText(letter, bigintAsText);
  } catch (error) {
    if (isOutOfMemory(error)) throw error;
    const { event, ...rest } = letter;
    const limits = { depth: null, maxArrayLength: null, maxStringLength: null };
    return jsonText({ ...rest, text: inspect(event, limits) });
  }
}

/** The id of a record that is a dead letter, in the log and in lists; no event has such an id. */
export function recordId({ epochId, sequence, index }: Frame): string {
  return `${epochId}-${sequence}${index === 0 ? "" : `.${index}`}`;
}

/** The frame as a dead letter stores it. */
export function deadRecord(frame: Frame): DeadRecord {
  const { epochNumber, epochId, index, type, schema } = frame;
  const [sequence, time] = [String(frame.sequence), String(frame.time)];
  const payload = frame.payload.toString("base64");
  const hashes = frame.hashes && { hashes: frame.hashes };
  return { epochNumber, epochId, sequence, index, time, type, schema, ...hashes, payload };
}

const digits = z
  .string()
  .regex(/^\d{1,20}$/)
  .transform(BigInt);
const chainValue = z.string().regex(/^[0-9a-f]{64}$/);
const frameOfRecord = z.object({
  epochNumber: z.int(),
  epochId: z.string(),
  sequence: digits,
  index: z.int(),
  time: digits,
  type: z.int(),
  schema: z.int(),
  hashes: z.object({ previous: chainValue, record: chainValue }).optional(),
  payload: z.base64().transform((text) => Buffer.from(text, "base64")),
});

/** Reads back what `deadRecord` made; `undefined` for anything else. */
export function frameOf(record: unknown): Frame | undefined {
  return frameOfRecord.safeParse(record).data;
}

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
