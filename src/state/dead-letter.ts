import type { FileHandle } from "node:fs/promises";
import { z } from "zod";
import type { CertwireEvent } from "../events/event.ts";
import { jsonText } from "../events/json-text.ts";
import { openForAppend } from "../files/append-file.ts";
import type { Frame } from "../journal/frame.ts";

/**
 * Why a record or event became a dead letter: a record that cannot be decoded (`undecodable`), an event that
 * cannot be written as JSON (`unencodable`), that the broker can never accept (`rejected`), or that it could
 * not route for `deadLetterAfterSeconds` (`unroutable`).
 */
export type DeadLetterReason = "undecodable" | "unencodable" | "rejected" | "unroutable";

/** A journal record that could not be decoded, unchanged; the members are those of `Frame`. */
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
  /** The whole event; absent for a record that could not be decoded. */
  readonly event?: CertwireEvent;
  /** The record that could not be decoded; absent for an event. */
  readonly record?: DeadRecord;
}

/**
 * The dead-letter file of one sink: NDJSON, append-only, one `DeadLetter` per line. The checkpoint may pass an
 * event only once its dead letter is durable, so `append` resolves after the flush. The service never reads,
 * truncates or deletes the file; `certwire replay FILE` publishes what is in it.
 */
export class DeadLetterFile {
  readonly #path: string;
  #file: FileHandle | undefined;
  #tail: Promise<unknown> = Promise.resolve();

  /** Opens nothing: the file and its directory are created with the first dead letter. */
  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Appends a line and flushes it, after the calls made before. Rejects with the error of the file system:
   * the line may then be missing or incomplete, and the caller must try again.
   */
  append(letter: DeadLetter): Promise<void> {
    const result = this.#tail.then(() => this.#append(letter));
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** Closes the file after the calls made so far. */
  async close(): Promise<void> {
    await this.#tail;
    await this.#file?.close();
    this.#file = undefined;
  }

  async #append(letter: DeadLetter): Promise<void> {
    this.#file ??= await openForAppend(this.#path);
    try {
      await this.#file.appendFile(`${jsonText(letter, bigintAsText)}\n`);
      await this.#file.datasync();
    } catch (error) {
      // Part of the line may be on disk: the next call opens the file again, which ends that line first.
      const file = this.#file;
      this.#file = undefined;
      await file.close().catch(() => undefined);
      throw error;
    }
  }
}

/** The frame as a dead letter stores it. */
export function deadRecord(frame: Frame): DeadRecord {
  const { epochNumber, epochId, index, type, schema } = frame;
  const [sequence, time] = [String(frame.sequence), String(frame.time)];
  const payload = frame.payload.toString("base64");
  return { epochNumber, epochId, sequence, index, time, type, schema, payload };
}

const digits = z
  .string()
  .regex(/^\d{1,20}$/)
  .transform(BigInt);
const frameOfRecord = z.object({
  epochNumber: z.int(),
  epochId: z.string(),
  sequence: digits,
  index: z.int(),
  time: digits,
  type: z.int(),
  schema: z.int(),
  payload: z.base64().transform((text) => Buffer.from(text, "base64")),
});

/** Reads back what `deadRecord` made; `undefined` for anything else. */
export function frameOf(record: unknown): Frame | undefined {
  return frameOfRecord.safeParse(record).data;
}

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
